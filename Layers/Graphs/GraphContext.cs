using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// What a graph keeps for one of its concurrent users: the plan that ran last, still bound to its arena. It runs again without a look-up
/// if the next use has the same sizes, the arena is free and its weights have not moved.
/// </summary>
internal sealed class GraphContext(CompiledGraph graph)
{
    private GraphPlan? last;

    /// <summary>A plan of a layout, to be returned with <see cref="Return"/>.</summary>
    /// <exception cref="DeviceException">Out of memory.</exception>
    public GraphPlan Open(PlanLayout layout, CancellationToken cancellation)
    {
        if (last?.Layout != layout) last = null;
        var arena = graph.Arenas.Rent(layout.ArenaBytes, last?.Arena);
        if (last is not null && ReferenceEquals(last.Arena, arena) && last.TryReopen()) return last;
        return last = Bind(layout, arena, cancellation);
    }

    /// <summary>Returns the plan's arena, and the context to its graph.</summary>
    public void Return(GraphPlan plan)
    {
        graph.Arenas.Return(plan.Arena);
        graph.Return(this);
    }

    private GraphPlan Bind(PlanLayout layout, DeviceBuffer arena, CancellationToken cancellation)
    {
        try
        {
            return new GraphPlan(graph, this, layout, arena, graph.Arenas.Weights.Begin(), last, cancellation);
        }
        catch
        {
            graph.Arenas.Return(arena);
            throw;
        }
    }
}
