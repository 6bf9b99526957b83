using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>How a kernel accesses memory: a type argument, chosen from pitches and alignments when arguments are bound.</summary>
internal interface IAccess
{
    /// <summary>
    /// Whether four consecutive elements are read and written at once. Widths and pitches are then multiples of four, and every view is
    /// aligned to four elements.
    /// </summary>
    static abstract bool Wide { get; }
}

/// <summary>Element by element: any width, pitch and alignment.</summary>
internal readonly struct SingleAccess : IAccess
{
    public static bool Wide => false;
}

/// <summary>Four elements at once.</summary>
internal readonly struct WideAccess : IAccess
{
    public static bool Wide => true;
}

/// <summary>Chooses the memory access.</summary>
internal static class Access
{
    /// <summary>Elements of one wide access.</summary>
    public const int Width = 4;

    /// <summary>Whether rows of <paramref name="width"/> elements of all tensors can be accessed four elements at a time.</summary>
    /// <param name="width">Elements of a row that the kernel processes.</param>
    /// <param name="tensors">All tensors accessed this way; absent ones do not matter.</param>
    public static bool IsWide(int width, params ReadOnlySpan<Tensor?> tensors)
    {
        if (width % Width != 0) return false;
        foreach (var tensor in tensors)
            if (tensor is not null && !(tensor.Offset % (Width * tensor.DType.Size()) == 0
                && (tensor.Rows <= 1 || tensor.RowPitch % Width == 0))) return false;
        return true;
    }

    /// <summary>
    /// Whether elementwise kernels use vector access on CPU devices too. Their compilers vectorise across work items, which is faster with
    /// single elements; tests set it to check the results.
    /// </summary>
    public static TuningParameter Everywhere { get; } = new("wide_access", 0, 0, 1);

    /// <summary>As <see cref="IsWide(int, ReadOnlySpan{Tensor})"/>, for kernels with one element per work item otherwise.</summary>
    public static bool IsWide(OpCall call, int width, params ReadOnlySpan<Tensor?> tensors) =>
        (!GpuKernel.IsProcessor(call.Device) || call.Settings[Everywhere] != 0) && IsWide(width, tensors);

    /// <summary>The type argument.</summary>
    public static Type Of(bool wide) => wide ? typeof(WideAccess) : typeof(SingleAccess);
}
