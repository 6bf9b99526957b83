using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Fuses conv2d(upsample(x)) into one op, for twice the size or another image's size. Bits do not change. A pointwise convolution is not
/// fused: it would compute equal pixels several times.
/// </summary>
internal sealed class UpsampleFoldingPass : IGraphPass
{
    public Graph Run(Graph graph)
    {
        var rewriter = new GraphRewriter(graph);
        return rewriter.Run(node =>
        {
            if (node.Op is not Conv2D { Upsampling: Upsampling.None, Epilogue.IsNone: true } conv || conv.IsPointwise(node.Inputs[1].Type))
                return null;
            if (rewriter.OnlyUse(node.Inputs[0]) is not { Op: Upsample { Interpolation: Interpolation.Nearest } } upsample) return null;
            var upsampling = upsample.Inputs.Length == 2 ? Upsampling.Like : Upsampling.Double;
            return rewriter.Add(node, conv with { Upsampling = upsampling },
                [upsample.Inputs[0], .. node.Inputs[1..], .. upsample.Inputs[1..]]);
        });
    }
}
