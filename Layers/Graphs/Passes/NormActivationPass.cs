using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>Fuses silu(group_norm(x)) into one op. Bits do not change.</summary>
internal sealed class NormActivationPass : IGraphPass
{
    public Graph Run(Graph graph)
    {
        var rewriter = new GraphRewriter(graph);
        return rewriter.Run(node =>
            node.Op is Unary { Function: UnaryFunction.Silu }
                && rewriter.OnlyUse(node.Inputs[0]) is { Op: GroupNormalization { Silu: false } norm } producer
            ? rewriter.Add(producer, norm with { Silu = true }, producer.Inputs.AsSpan())
            : null);
    }
}
