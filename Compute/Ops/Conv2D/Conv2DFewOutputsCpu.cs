using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// For few output channels, such as RGB: a tile of the implicit GEMM would be mostly empty, so every pixel is multiplied with all kernel
/// positions at once.
/// </summary>
internal static class Conv2DFewOutputsCpu
{
    private const int LeastChannels = 8;

    public static KernelVariant Variant { get; } = CpuKernel.Variant("cpu/few-outputs", Bind, ScratchBytes) with { SupportsShape = Fits };

    private static Launch Bind(OpCall call)
    {
        var op = (Conv2D)call.Op;
        return new FewOutputsLaunch(op.Plain(call), op.PaddingBefore, TileEpilogue.Of(call, op.Epilogue));
    }

    private static long ScratchBytes(OpSignature signature)
    {
        Shape weight = signature.Inputs[1].Concrete();
        return (long)weight[1] * FewOutputsLaunch.Pitch(weight) * sizeof(float);
    }

    private static bool Fits(OpSignature signature)
    {
        Shape weight = signature.Inputs[1].Concrete();
        return signature.Op is Conv2D { Stride: 1, Upsampling: Upsampling.None } && weight[2] * weight[3] > 1 && weight[1] >= LeastChannels
            && weight[0] <= GemmTile.Best.Columns / 2;
    }
}
