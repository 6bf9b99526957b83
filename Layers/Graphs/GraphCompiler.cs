using System.Diagnostics;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A graph after the passes.</summary>
/// <param name="Graph">What is computed.</param>
/// <param name="Regions">What went through the passes by itself.</param>
internal sealed record CompiledModel(Graph Graph, IReadOnlyList<CompiledRegion> Regions)
{
    /// <summary>Time that all of it took.</summary>
    public double Seconds { get; init; }
}

/// <summary>From what layers recorded to what plans are made of.</summary>
internal static class GraphCompiler
{
    /// <summary>Compiles for every size.</summary>
    /// <param name="source">What layers recorded.</param>
    /// <param name="options">How.</param>
    public static CompiledModel Compile(Graph source, CompileOptions options)
    {
        long start = Stopwatch.GetTimestamp();
        var model = Run(source, options);
        return model with { Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds };
    }

    /// <summary>Compiles for one combination of sizes: every size is a number, which passes may make use of.</summary>
    /// <param name="source">What layers recorded.</param>
    /// <param name="options">How.</param>
    /// <param name="sizes">A value for every symbol.</param>
    /// <exception cref="ShapeException">The graph does not work at these sizes.</exception>
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
        if (options.Scope == CompileScope.Blocks && finder.Blocks() is { Count: > 0 } blocks) return RegionCompiler.Compile(source, blocks, _ => options, rest: null);
        if (options.Scope == CompileScope.Regions && finder.Repeated() is { Count: > 0 } repeated) return RegionCompiler.Compile(source, repeated, _ => options, rest: options);
        if (options.IsEager && finder.Marked() is { Count: > 0 } marked) return RegionCompiler.Compile(source, marked, region => region.Call.Layer.OwnOptions!, rest: null);

        long start = Stopwatch.GetTimestamp();
        var graph = GraphPasses.Run(source, options);
        return new CompiledModel(graph, [new(source.Name, null, 1, Ops(source), Ops(graph), Stopwatch.GetElapsedTime(start).TotalSeconds)]);
    }

    private static int Ops(Graph graph) => graph.NeededBy(graph.Outputs.Values).Count();
}
