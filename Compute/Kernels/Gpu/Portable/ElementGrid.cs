using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Maps elements to work items, one each. A group covers a few rows and a power of two of columns, so that consecutive elements go to
/// consecutive work items and no work item divides by a width; if no tensor has gaps, all elements are one long row.
/// </summary>
internal readonly record struct ElementGrid
{
    /// <summary>Work items per group.</summary>
    public const int GroupSize = 256;

    private readonly int rows, width, shift, columnBlocks;
    private readonly bool flat;

    private ElementGrid(int rows, int width, bool flat)
    {
        (this.rows, this.width, this.flat) = (rows, width, flat);
        shift = Math.Min(BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Max(width, 1))), BitOperations.Log2(GroupSize));
        columnBlocks = Math.Max(1, (int)((width + (1L << shift) - 1) >> shift));
        int rowsPerGroup = GroupSize >> shift;
        Groups = new GpuGrid(checked((int)Math.Max(1, IntegerMath.CeilDiv((long)rows, rowsPerGroup) * columnBlocks)));
    }

    /// <summary>The launch grid.</summary>
    public GpuGrid Groups { get; }

    /// <summary>For rows of <paramref name="width"/> elements, whatever tensors they belong to.</summary>
    public static ElementGrid Of(int rows, int width) => new(rows, width, flat: false);

    /// <summary>For the elements of tensors of one shape.</summary>
    /// <exception cref="DeviceException">A tensor has more elements than a 32-bit index reaches.</exception>
    public static ElementGrid Of(params ReadOnlySpan<Tensor> tensors)
    {
        bool flat = true;
        foreach (var tensor in tensors)
        {
            flat &= tensor.IsContiguous;
            Indexed(tensor);
        }

        return flat ? new(1, checked((int)tensors[0].Shape.Count), flat) : new(tensors[0].Rows, tensors[0].Width, flat);
    }

    /// <summary>
    /// The same elements with four per work item, if all of these tensors allow it; a kernel's column is then a quarter of the element's.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="tensors">All tensors that are accessed four elements at a time.</param>
    /// <returns>The grid, and the kernel's <see cref="IAccess"/> type.</returns>
    public (ElementGrid Grid, Type Access) Widened(OpCall call, params ReadOnlySpan<Tensor?> tensors)
    {
        bool wide = Access.IsWide(call, width, tensors);
        return (wide ? new(rows, width / Access.Width, flat) : this, Access.Of(wide));
    }

    /// <summary>Throws if a kernel's 32-bit indices do not reach a tensor's end.</summary>
    public static Tensor Indexed(Tensor tensor) => (long)tensor.Rows * tensor.RowPitch <= int.MaxValue
        ? tensor
        : throw new DeviceException(
            $"{tensor} has more than {int.MaxValue} elements; kernels use 32-bit indices. Choose a smaller image or batch, or tiled "
                + "decoding.");

    /// <summary>The arguments that <see cref="Lane"/> needs.</summary>
    /// <param name="arguments">What comes before.</param>
    /// <param name="widthName">What the kernel calls the width.</param>
    public GpuArguments Numbers(GpuArguments arguments, string widthName = "width") =>
        arguments.Int("rows", rows).Int(widthName, width).Int("shift", shift).Int("columnBlocks", columnBlocks);

    /// <summary>The first arguments of a kernel after its views, as <see cref="Lane"/> needs them, then pitches.</summary>
    /// <param name="arguments">The views.</param>
    /// <param name="pitches">The pitches that follow: what the kernel calls each, and whose it is.</param>
    /// <param name="widthName">What the kernel calls the width.</param>
    public GpuArguments Arguments(GpuArguments arguments, ReadOnlySpan<(string Name, Tensor Tensor)> pitches, string widthName = "width")
    {
        Numbers(arguments, widthName);
        foreach (var (name, tensor) in pitches) arguments.Int(name, flat ? 0 : Indexed(tensor).RowPitch);
        return arguments;
    }
}

/// <summary>A work item's position in an <see cref="ElementGrid"/>.</summary>
internal static class Lane
{
    /// <summary>The row; past the last one if the work item has nothing to do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Row(int shift, int columnBlocks) => Grid.IdxX / columnBlocks * (Group.DimX >> shift) + (Group.IdxX >> shift);

    /// <summary>The column; past the last one if the work item has nothing to do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Column(int shift, int columnBlocks) => (Grid.IdxX % columnBlocks << shift) + (Group.IdxX & ((1 << shift) - 1));
}
