using System.Diagnostics;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A graph after the passes.</summary>
/// <param name="Graph">The resulting graph.</param>
/// <param name="Regions">The regions that were compiled separately.</param>
internal sealed record CompiledModel(Graph Graph, IReadOnlyList<CompiledRegion> Regions)
{
    /// <summary>Total compile time.</summary>
    public double Seconds { get; init; }
}

/// <summary>Runs the passes over recorded graphs.</summary>
internal static class GraphCompiler
{
    /// <summary>Compiles for all sizes.</summary>
    /// <param name="source">The recorded graph.</param>
    /// <param name="options">The options.</param>
    public static CompiledModel Compile(Graph source, CompileOptions options)
    {
        long start = Stopwatch.GetTimestamp();
        var model = Run(source, options);
        return model with { Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds };
    }

    /// <summary>Compiles for one combination of sizes: all sizes are constants, which passes may use.</summary>
    /// <param name="source">The recorded graph.</param>
    /// <param name="options">The options.</param>
    /// <param name="sizes">A value for every symbol.</param>
    /// <exception cref="ShapeException">The graph does not support these sizes.</exception>
    public static CompiledModel Compile(Graph source, CompileOptions options, Sizes sizes)
    {
        long start = Stopwatch.GetTimestamp();
        var copy = new GraphCopy(new Graph(source.Name));
        copy.Inputs(source, type => type.Resolve(sizes));
        foreach (var node in source.Nodes) copy.AddInferred(node);
        copy.Names(source);
        copy.Outputs(source);
        copy.Calls(source, 0, source.Nodes.Count);
        var model = Run(copy.Target, options);
        return model with { Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds };
    }

    private static CompiledModel Run(Graph source, CompileOptions options)
    {
        var finder = new RegionFinder(source);
        if (options.Scope == CompileScope.Blocks && finder.Blocks() is { Count: > 0 } blocks)
            return RegionCompiler.Compile(source, blocks, _ => options, rest: null);
        if (options.Scope == CompileScope.Regions && finder.Repeated() is { Count: > 0 } repeated)
            return RegionCompiler.Compile(source, repeated, _ => options, rest: options);
        if (options.IsEager && finder.Marked() is { Count: > 0 } marked)
            return RegionCompiler.Compile(source, marked, region => region.Call.Layer.OwnOptions!, rest: null);

        long start = Stopwatch.GetTimestamp();
        var graph = GraphPasses.Run(source, options);
        return new CompiledModel(graph, [new(source.Name, null, 1, Ops(source), Ops(graph), Stopwatch.GetElapsedTime(start).TotalSeconds)]);
    }

    private static int Ops(Graph graph) => graph.NeededBy(graph.Outputs.Values).Count();
}
