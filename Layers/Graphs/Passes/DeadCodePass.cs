namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Ops that neither an output nor a named value needs leave the graph. Plans would not run them anyway; without them the graph is smaller, for those who read
/// it and for copies of it.
/// </summary>
internal sealed class DeadCodePass : IGraphPass
{
    public Graph Run(Graph graph)
    {
        HashSet<Node> needed = [.. graph.NeededBy([.. graph.Outputs.Values, .. graph.Named.Values])];
        return new GraphRewriter(graph).Run(_ => null, needed.Contains);
    }
}
