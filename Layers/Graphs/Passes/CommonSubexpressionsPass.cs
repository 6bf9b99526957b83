using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>Merges equal ops of equal arguments. Bits do not change.</summary>
internal sealed class CommonSubexpressionsPass : IGraphPass
{
    public Graph Run(Graph graph)
    {
        var rewriter = new GraphRewriter(graph);
        var known = new Dictionary<(Op Op, ValueArray<int> Arguments), Value>();
        return rewriter.Run(node =>
        {
            var key = (node.Op, new ValueArray<int>([.. node.Inputs.Select(i => rewriter[i].Index)]));
            if (!known.TryGetValue(key, out var value)) known.Add(key, value = rewriter.Copy(node));
            return value;
        });
    }
}
