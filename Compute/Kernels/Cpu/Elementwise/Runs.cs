using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Splits tensors of one shape into runs of contiguous elements: rows, or, if no tensor has gaps, slices of the flattened tensor, so that
/// narrow rows do not waste vector lanes.
/// </summary>
internal readonly unsafe struct Runs
{
    private const int FlatLength = 4096; // 16 KiB: three tensors' runs stay in the L1 cache
    private readonly long total;
    private readonly bool flat;

    public Runs(params ReadOnlySpan<Tensor> tensors)
    {
        flat = true;
        foreach (var tensor in tensors) flat &= tensor.IsContiguous;
        total = tensors[0].Shape.Count;
        Length = flat ? (int)Math.Min(total, FlatLength) : tensors[0].Width;
        Count = total == 0 ? 0 : checked((int)(IntegerMath.CeilDiv(total, Length)));
    }

    /// <summary>Number of runs.</summary>
    public int Count { get; }

    /// <summary>Elements of each run but the last.</summary>
    public int Length { get; }

    /// <summary>Elements of one run.</summary>
    public int LengthOf(int run) => (int)Math.Min(Length, total - (long)run * Length);

    /// <summary>Start of a run in one of the tensors.</summary>
    public T* Of<T>(Tensor tensor, int run) where T : unmanaged => tensor.Pointer<T>() + (long)run * (flat ? Length : tensor.RowPitch);
}
