using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Reorders filters to [co, kernel positions, ci] in every run, for calls outside of plans; in plans, weights are stored in that order
/// (<see cref="OpCall.KernelPositionsFirst"/>).
/// </summary>
internal static class FilterOrder
{
    private const int GroupSize = 256;

    /// <summary>A GEMM's weights in that order, and the launch that reorders them if they are not.</summary>
    public static (Tensor Weights, LaunchSpecification? Launch) Of(GpuGemm gemm, Tensor? scratch)
    {
        Tensor stored = gemm.Weights;
        if (gemm.KernelPositions == 1 || gemm.KernelPositionsFirst) return (stored, null);
        var ordered = new Tensor(scratch!.Buffer, scratch.Offset, stored.DType, stored.Shape);
        int count = checked((int)stored.Shape.Count);
        var source = KernelSource.Of(typeof(FilterOrder), nameof(Kernel), GroupSize, GpuElements.Bits(stored.DType));
        return (ordered, new(source, GpuGrid.Over(count, GroupSize), new GpuArguments()
            .View("source", stored).View("target", ordered).Int("count", count).Int("channels", gemm.Depth)
            .Int("positions", gemm.KernelPositions)));
    }

    /// <summary>Scratch bytes for the reordered weights, at the start of the scratch memory; a multiple of the vector size.</summary>
    public static long ScratchBytes(int columns, int depth, int positions, DType dtype, bool kernelPositionsFirst)
    {
        const long Alignment = 64;
        return positions == 1 || kernelPositionsFirst ? 0
            : IntegerMath.RoundUp((long)columns * depth * positions * dtype.Size(), Alignment);
    }

    /// <summary>[co, ci, positions] → [co, positions, ci], a pure copy. One work item per element of the result.</summary>
    internal static void Kernel<W>(ArrayView<W> source, ArrayView<W> target, int count, int channels, int positions) where W : unmanaged
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        int channel = i % channels, rest = i / channels, position = rest % positions, filter = rest / positions;
        target[i] = source[(filter * channels + channel) * positions + position];
    }
}
