using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Turns a 1×1 convolution of stride 1 into a matrix multiplication over the channels of each pixel, so that later passes apply to it. On
/// the CPU both run the same kernel.
/// </summary>
internal sealed class Conv1x1AsMatMulPass : IGraphPass
{
    public Graph Run(Graph graph)
    {
        var rewriter = new GraphRewriter(graph);
        return rewriter.Run(node =>
            node.Op is Conv2D conv && conv.IsPointwise(node.Inputs[1].Type)
                ? rewriter.Add(node, new MatMul(conv.Epilogue), node.Inputs.AsSpan()) : null);
    }
}
