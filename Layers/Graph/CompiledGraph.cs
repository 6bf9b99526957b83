using System.Collections.Concurrent;
using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Layers;

/// <summary>
/// A graph made ready for a device. Compiled once; every new combination of sizes only makes a plan, in milliseconds.
/// Several threads may rent plans at the same time.
/// </summary>
public sealed class CompiledGraph(Graph graph, ArenaPool arenas)
{
    private static int compilations;
    private readonly ConcurrentDictionary<(Sizes Sizes, string Keep), Lazy<PlanLayout>> layouts = new();
    private readonly Lock gate = new();
    private readonly int compilation = Interlocked.Increment(ref compilations);
    private Plan? idle; // bound to the arena that it used last

    /// <summary>How many graphs this process has compiled.</summary>
    public static int Compilations => compilations;

    /// <summary>What is computed.</summary>
    public Graph Graph => graph;

    /// <summary>Where it is computed.</summary>
    public Device Device => arenas.Device;

    /// <summary>How many plans were made: one per combination of sizes.</summary>
    public int Plans => layouts.Count;

    /// <summary>A plan for the given sizes, to be disposed after use.</summary>
    /// <param name="sizes">A value for every symbol of the graph.</param>
    /// <param name="keep">Paths of layers whose results should be readable afterwards (<see cref="Plan.Named"/>); costs memory.</param>
    /// <exception cref="ShapeException">The graph does not work at these sizes.</exception>
    public Plan Rent(Sizes sizes, IReadOnlyCollection<string>? keep = null)
    {
        var kept = keep is null ? [] : new SortedSet<string>(keep, StringComparer.Ordinal);
        var layout = layouts.GetOrAdd((sizes, string.Join('\n', kept)), _ => new(() => new PlanLayout(graph, Device, sizes, kept))).Value;
        var arena = arenas.Rent(layout.ArenaBytes);
        lock (gate)
        {
            var plan = idle;
            idle = null;
            if (plan is not null && plan.Layout == layout && ReferenceEquals(plan.Arena, arena))
            {
                plan.Reopen();
                return plan;
            }
        }

        try
        {
            return new Plan(this, layout, arena);
        }
        catch
        {
            arenas.Return(arena);
            throw;
        }
    }

    internal void Return(Plan plan)
    {
        lock (gate) idle = plan;
        arenas.Return(plan.Arena);
    }

    /// <summary>Name and number, for logs.</summary>
    public override string ToString() => $"{graph.Name} #{compilation}";
}
