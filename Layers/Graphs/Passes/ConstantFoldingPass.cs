namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Replaces what depends only on weights and constants by a constant, which is computed when a plan first needs it, instead of in every run
/// or for every prompt.
/// Bits do not change.
/// </summary>
internal sealed class ConstantFoldingPass : IGraphPass
{
    public Graph Run(Graph graph)
    {
        var rewriter = new GraphRewriter(graph);
        var known = new HashSet<Value>();
        return rewriter.Run(node =>
        {
            if (node.Inputs.IsEmpty || !node.Inputs.All(i => i.Parameter is not null || known.Contains(i))) return null;
            known.Add(node.Output);
            return rewriter.Use(new Parameter(node.Path, GraphConstant.Of(node.Output)));
        });
    }
}
