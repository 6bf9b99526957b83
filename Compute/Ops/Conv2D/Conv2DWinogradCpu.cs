using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>3×3 kernels with stride 1 by Winograd's F(4×4, 3×3): a quarter of the multiplications.</summary>
internal sealed class Conv2DWinogradCpu : ISimdBinder
{
    private const int Kernel = 3;

    public static KernelVariant Variant { get; } =
        CpuKernel.Variant("cpu/winograd4x4", SimdKernel.Bind<Conv2DWinogradCpu>, ScratchBytes, WinogradOverlap.LeadBytes)
            with
        { SupportsShape = Fits, Tuning = WinogradGrid.Tuning, WorkShare = 0.25 };

    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V>
    {
        var op = (Conv2D)call.Op;
        return new WinogradLaunch<V>(op.Plain(call), new SeenImage(op, call), op.PaddingBefore,
            Grid(call.Output.Shape, call.Inputs[0].Width, call.Settings), TileEpilogue.Of(call, op.Epilogue));
    }

    private static long ScratchBytes(OpSignature signature) =>
        Grid(signature.Output.Concrete(), signature.Inputs[0].Concrete().Last, signature.Settings).ScratchElements * sizeof(float);

    private static WinogradGrid Grid(Shape output, int channels, KernelSettings settings) => new(output, channels, GemmTile.Best, settings);

    /// <summary>
    /// Transforming the weights costs as much as computing some 40 pixels directly, a tile's GEMMs and transforms as much as 4 or 5: below
    /// 8×8 pixels, or if tiles mostly extend past the image's edges, the implicit GEMM is faster; so it is with few channels, for which the
    /// transforms dominate. The batch size must not matter, because the bits of an image must not depend on the rest of its batch: it is
    /// taken as two, as for an image with guidance.
    /// </summary>
    private static bool Fits(OpSignature signature)
    {
        const int LeastChannels = 32, PixelsOfWeights = 40, PixelsOfTile = 5, Images = 2;
        Shape weight = signature.Inputs[1].Concrete(), output = signature.Output.Concrete();
        int images = output[0];
        var grid = Grid(output, weight[1], KernelSettings.Default);
        return ((Conv2D)signature.Op).Stride == 1 && weight[2] == Kernel && weight[3] == Kernel && weight[0] >= LeastChannels
            && weight[1] >= LeastChannels
            && Images * ((long)output.Rows / Math.Max(1, images) - (long)PixelsOfTile * grid.TilesDown * grid.TilesAcross)
                >= PixelsOfWeights;
    }
}
