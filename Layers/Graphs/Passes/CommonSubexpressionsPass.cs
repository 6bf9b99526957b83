using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>Merges equal ops of equal arguments. Bits do not change.</summary>
internal sealed class CommonSubexpressionsPass : IGraphPass
{
    public string Name => nameof(CompileOptions.CommonSubexpressions);

    public Graph Run(Graph graph)
    {
        var rewriter = new GraphRewriter(graph);
        var known = new Dictionary<(Op Op, string Arguments), Value>();
        return rewriter.Run(node =>
        {
            var key = (node.Op, string.Join(',', node.Inputs.Select(i => rewriter[i].Index)));
            if (!known.TryGetValue(key, out var value)) known.Add(key, value = rewriter.Copy(node));
            return value;
        });
    }
}
