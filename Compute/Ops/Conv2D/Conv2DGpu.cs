using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Implicit GEMM of im2col rows, read from the image, and filters; a 1×1 filter is a plain GEMM.</summary>
internal static class Conv2DGpu
{
    public static KernelVariant[] Variants { get; } =
        GpuGemmVariants.Variants(call => [Gemm(call)],
            signature => [GemmSize.Of(signature, isPlain: ((Conv2D)signature.Op).IsPointwise(signature.Inputs[1]))]);

    internal static GpuGemm Gemm(OpCall call)
    {
        var op = (Conv2D)call.Op;
        Shape x = call.Inputs[0].Shape, w = call.Inputs[1].Shape, y = call.Output.Shape;
        var (height, width) = op.Seen([.. call.Inputs.Select(i => i.Type)]);
        var image = op.IsPointwise(call.Inputs[1].Type) ? null
            : new GpuImage(w[2] * w[3], x[1], x[2], height.Constant!.Value, width.Constant!.Value, y[1], y[2], w[3], op.Stride,
                op.PaddingBefore);
        return GpuGemm.Of(op.Plain(call), call, op.Epilogue, image);
    }
}
