using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>How a kernel reaches memory: a type argument, chosen when arguments are bound, from pitches and alignments.</summary>
internal interface IAccess
{
    /// <summary>Whether four neighbours are read and written at once. Widths and pitches are then multiples of four, and every view begins where four elements may.</summary>
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

/// <summary>Chooses how memory is reached.</summary>
internal static class Access
{
    /// <summary>Elements of one wide access.</summary>
    public const int Width = 4;

    /// <summary>Whether rows of <paramref name="width"/> elements of all tensors can be reached four elements at once.</summary>
    /// <param name="width">Elements of a row that the kernel goes over.</param>
    /// <param name="tensors">All tensors that it reads or writes so; absent ones count as able.</param>
    public static bool IsWide(int width, params ReadOnlySpan<Tensor?> tensors)
    {
        if (width % Width != 0) return false;
        foreach (var tensor in tensors)
            if (tensor is not null && !(tensor.Offset % (Width * tensor.DType.Size()) == 0 && (tensor.Rows <= 1 || tensor.RowPitch % Width == 0))) return false;
        return true;
    }

    /// <summary>
    /// Whether kernels of single elements go over four at once on a processor too. Its compilers make vectors of work items' elements, which is faster there; tests set it, to see that results are right.
    /// </summary>
    public static TuningParameter Everywhere { get; } = new("wide_access", 0, 0, 1);

    /// <summary>As <see cref="IsWide(int, ReadOnlySpan{Tensor})"/>, for kernels whose work items have a single element otherwise.</summary>
    public static bool IsWide(OpCall call, int width, params ReadOnlySpan<Tensor?> tensors) =>
        (!GpuKernel.IsProcessor(call.Device) || call.Settings[Everywhere] != 0) && IsWide(width, tensors);

    /// <summary>The type argument.</summary>
    public static Type Of(bool wide) => wide ? typeof(WideAccess) : typeof(SingleAccess);
}
