namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Removes ops that neither an output nor a named value needs. Plans would not run them anyway; without them the graph is smaller to print
/// and to copy.
/// </summary>
internal sealed class DeadCodePass : IGraphPass
{
    public Graph Run(Graph graph)
    {
        HashSet<Node> needed = [.. graph.NeededBy([.. graph.Outputs.Values, .. graph.Named.Values])];
        return new GraphRewriter(graph).Run(_ => null, needed.Contains);
    }
}
