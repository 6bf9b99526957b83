using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>Puts filters into the order in which images are read.</summary>
internal static class FilterOrder
{
    public const int GroupSize = 256;

    /// <summary>[co, ci, taps] → [co, taps, ci]; bits only move. One work item per element of the result.</summary>
    internal static void Kernel<W>(ArrayView<W> source, ArrayView<W> target, int count, int channels, int taps) where W : unmanaged
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        int channel = i % channels, rest = i / channels, tap = rest % taps, filter = rest / taps;
        target[i] = source[(filter * channels + channel) * taps + tap];
    }
}
