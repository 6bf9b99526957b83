using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// How tensors of one shape fall into runs of neighbouring elements: rows, or, where no tensor has gaps, pieces of one long row, so that
/// narrow rows do not waste registers.
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
        Count = total == 0 ? 0 : checked((int)((total + Length - 1) / Length));
    }

    /// <summary>Number of runs.</summary>
    public int Count { get; }

    /// <summary>Elements of each run but the last.</summary>
    public int Length { get; }

    /// <summary>Elements of one run.</summary>
    public int LengthOf(int run) => (int)Math.Min(Length, total - (long)run * Length);

    /// <summary>Where a run of one of the tensors begins.</summary>
    public T* Of<T>(Tensor tensor, int run) where T : unmanaged => tensor.Pointer<T>() + (long)run * (flat ? Length : tensor.RowPitch);
}
