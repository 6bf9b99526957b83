using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A 1×1 convolution of stride 1 becomes a product over the channels of each pixel: what other passes do for products they then do for it. On the CPU both run the same kernel.</summary>
internal sealed class Conv1x1AsMatMulPass : IGraphPass
{
    public Graph Run(Graph graph)
    {
        var rewriter = new GraphRewriter(graph);
        return rewriter.Run(node => node.Op is Conv2D conv && conv.IsPointwise(node.Inputs[1].Type) ? rewriter.Add(node, new MatMul(conv.Epilogue), node.Inputs.AsSpan()) : null);
    }
}
