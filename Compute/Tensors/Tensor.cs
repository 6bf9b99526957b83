using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>
/// A view of device memory: <see cref="Shape"/>.Rows rows of <see cref="Shape"/>.Last contiguous elements, whose starts are
/// <see cref="RowPitch"/> elements apart. A pitch larger than the row makes a column view of a wider tensor, which is how concatenations
/// and fused projections avoid copies. A tensor does not own its buffer.
/// </summary>
public sealed class Tensor
{
    /// <summary>Creates a view.</summary>
    /// <param name="buffer">The memory.</param>
    /// <param name="offset">Bytes from the buffer's start to the first element.</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="shape">Sizes, outermost first.</param>
    /// <param name="rowPitch">Elements between the starts of consecutive rows; 0 means contiguous.</param>
    /// <exception cref="ShapeException">The view does not fit in the buffer.</exception>
    public Tensor(DeviceBuffer buffer, long offset, DType dtype, Shape shape, int rowPitch = 0)
    {
        (Buffer, Offset, DType, Shape) = (buffer, offset, dtype, shape);
        RowPitch = rowPitch == 0 ? shape.Last : rowPitch;
        long elements = shape.Count == 0 ? 0 : (long)(shape.Rows - 1) * RowPitch + shape.Last;
        if (offset < 0 || RowPitch < shape.Last || offset + elements * dtype.Size() > buffer.Bytes)
            throw new ShapeException(
                $"tensor: {dtype}{shape} with pitch {RowPitch} at byte {offset} does not fit in a buffer of {buffer.Bytes} bytes.");
    }

    /// <summary>The viewed memory.</summary>
    public DeviceBuffer Buffer { get; }

    /// <summary>Bytes from the buffer's start to the first element.</summary>
    public long Offset { get; }

    /// <summary>Element type.</summary>
    public DType DType { get; }

    /// <summary>Sizes, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>Elements between the starts of consecutive rows.</summary>
    public int RowPitch { get; }

    /// <summary>Product of all sizes but the innermost.</summary>
    public int Rows => Shape.Rows;

    /// <summary>The innermost size.</summary>
    public int Width => Shape.Last;

    /// <summary>Whether there is no gap between rows.</summary>
    public bool IsContiguous => RowPitch == Width || Rows <= 1;

    /// <summary>Element type and sizes.</summary>
    public TensorType Type => new(DType, Shape);

    /// <summary>A column range: same rows, same pitch.</summary>
    public Tensor Columns(int start, int count)
    {
        ShapeException.ThrowUnless(start >= 0 && count > 0 && start + count <= Width, "columns", "range", $"{start}..{start + count}",
            $"inside 0..{Width}");
        int[] sizes = Shape.Sizes.ToArray();
        sizes[^1] = count;
        return new Tensor(Buffer, Offset + (long)start * DType.Size(), DType, Shape.Create(sizes), RowPitch);
    }

    /// <summary>The same elements with another shape; a column view must keep its innermost size.</summary>
    public Tensor Reshape(Shape shape)
    {
        ShapeException.ThrowUnless(shape.Count == Shape.Count && (IsContiguous || shape.Last == Width), "reshape", "shape", shape,
            $"of {Shape.Count} elements like {Shape}");
        return new Tensor(Buffer, Offset, DType, shape, IsContiguous ? 0 : RowPitch);
    }

    /// <summary>A range of <paramref name="count"/> entries of the outermost dimension, from <paramref name="start"/> on.</summary>
    public Tensor Slice(int start, int count)
    {
        ShapeException.ThrowUnless(Shape.Rank > 1 && start >= 0 && count > 0 && start + count <= Shape[0], "slice", "range",
            $"{start}..{start + count}", $"inside the outermost size of {Shape}");
        int[] sizes = Shape.Sizes.ToArray();
        long rowsPerEntry = Rows / sizes[0];
        sizes[0] = count;
        return new Tensor(Buffer, Offset + start * rowsPerEntry * RowPitch * DType.Size(), DType, Shape.Create(sizes), RowPitch);
    }

    /// <summary>Address of the first element; only for tensors in host memory.</summary>
    internal unsafe T* Pointer<T>() where T : unmanaged => (T*)(HostAddress + (nint)Offset);

    /// <summary>All elements of a contiguous tensor in host memory.</summary>
    /// <exception cref="InvalidOperationException">The tensor is a column view, is on another device, or has another element
    /// size.</exception>
    public unsafe Span<T> Span<T>() where T : unmanaged
    {
        if (!IsContiguous || Unsafe.SizeOf<T>() != DType.Size())
            throw new InvalidOperationException($"{this} cannot be seen as one span of {typeof(T).Name}.");
        return new Span<T>(Pointer<T>(), checked((int)Shape.Count));
    }

    private nint HostAddress =>
        Buffer.HostAddress is not 0 and var address ? address
            : throw new InvalidOperationException($"{this} is not in host memory, or was freed.");

    /// <summary>Such as <c>Float32[2, 64, 64, 320]</c>.</summary>
    public override string ToString() => $"{DType}{Shape}";
}
