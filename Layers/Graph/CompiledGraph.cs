using System.Collections.Concurrent;
using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Layers;

/// <summary>
/// A graph made ready for a device. Compiled once; every new combination of sizes only makes a plan.
/// Several threads may rent plans at the same time.
/// </summary>
/// <param name="source">What is computed.</param>
/// <param name="arenas">Where it is computed.</param>
/// <param name="options">Which passes it goes through; null for all.</param>
public sealed class CompiledGraph(Graph source, ArenaPool arenas, CompileOptions? options = null)
{
    private static int compilations;
    private readonly ConcurrentDictionary<(Sizes Sizes, string Keep), Lazy<PlanLayout>> layouts = new();
    private readonly Graph graph = GraphPasses.Run(source, options ?? new());
    private readonly Lock gate = new();
    private readonly int compilation = Interlocked.Increment(ref compilations);
    private GraphPlan? idle; // bound to the arena that it used last

    /// <summary>How many graphs this process has compiled.</summary>
    public static int Compilations => compilations;

    /// <summary>What is computed, after all passes.</summary>
    public Graph Graph => graph;

    /// <summary>Which passes the graph went through.</summary>
    public CompileOptions Options { get; } = options ?? new();

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
        var layout = Layout(sizes, kept);
        var arena = arenas.Rent(layout.ArenaBytes);
        GraphPlan? plan;
        lock (gate)
        {
            plan = idle;
            idle = null;
            if (plan is not null && plan.Layout == layout && ReferenceEquals(plan.Arena, arena) && plan.TryReopen()) return plan;
        }

        try
        {
            return new GraphPlan(this, layout, arena, arenas.Weights.Begin(), plan?.Layout == layout ? plan : null);
        }
        catch
        {
            arenas.Return(arena);
            throw;
        }
    }

    /// <summary>What a plan for the given sizes does and needs. Takes no memory on the device; weights need not be loaded.</summary>
    /// <param name="sizes">A value for every symbol of the graph.</param>
    /// <exception cref="ShapeException">The graph does not work at these sizes.</exception>
    public PlanReport Report(Sizes sizes) => PlanReport.Of(Layout(sizes, []));

    /// <summary>The calls of a plan for the given sizes, kernels left aside.</summary>
    internal IEnumerable<TuningProblem> Calls(Sizes sizes) =>
        new PlanLayout(graph, Device, sizes, new HashSet<string>(), Options) is var layout ? layout.PrologueSteps.Concat(layout.Steps).Select(TuningProblem.Of) : [];

    private PlanLayout Layout(Sizes sizes, SortedSet<string> keep) =>
        layouts.GetOrAdd((sizes, string.Join('\n', keep)), _ => new(() => new PlanLayout(graph, Device, sizes, keep, Options))).Value;

    internal void Return(GraphPlan plan)
    {
        lock (gate) idle = plan;
        arenas.Return(plan.Arena);
    }

    /// <summary>Name and number, for logs.</summary>
    public override string ToString() => $"{graph.Name} #{compilation}";
}
