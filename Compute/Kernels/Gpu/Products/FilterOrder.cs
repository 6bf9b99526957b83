using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Puts filters into the order in which images are read, in every run: for calls outside of plans, whose weights are made so once (<see cref="OpCall.TapsFirst"/>).</summary>
internal static class FilterOrder
{
    private const int GroupSize = 256;

    /// <summary>A product's weights in order, and the launch that makes them so where they are not.</summary>
    public static (Tensor Weights, GpuStage? Launch) Of(GpuProduct product, Tensor? scratch)
    {
        Tensor stored = product.Weights;
        if (product.Taps == 1 || product.TapsFirst) return (stored, null);
        var ordered = new Tensor(scratch!.Buffer, scratch.Offset, stored.DType, stored.Shape);
        int count = checked((int)stored.Shape.Count);
        var source = KernelSource.Of(typeof(FilterOrder), nameof(Kernel), GroupSize, GpuElements.Bits(stored.DType));
        return (ordered, new(source, GpuGrid.Over(count, GroupSize), new GpuArguments().View(stored).View(ordered).Int(count).Int(product.Depth).Int(product.Taps)));
    }

    /// <summary>Working memory for that, at its beginning; whole vectors.</summary>
    public static long ScratchBytes(int columns, int depth, int taps, DType dtype, bool tapsFirst)
    {
        const long Alignment = 64;
        return taps == 1 || tapsFirst ? 0 : ((long)columns * depth * taps * dtype.Size() + Alignment - 1) / Alignment * Alignment;
    }

    /// <summary>[co, ci, taps] → [co, taps, ci]; bits only move. One work item per element of the result.</summary>
    internal static void Kernel<W>(ArrayView<W> source, ArrayView<W> target, int count, int channels, int taps) where W : unmanaged
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        int channel = i % channels, rest = i / channels, tap = rest % taps, filter = rest / taps;
        target[i] = source[(filter * channels + channel) * taps + tap];
    }
}
