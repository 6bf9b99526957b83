using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Number of groups of a launch; the group size belongs to the kernel.</summary>
internal readonly record struct GpuGrid(int X, int Y = 1, int Z = 1)
{
    /// <summary>Groups for <paramref name="items"/> work items.</summary>
    public static GpuGrid Over(long items, int groupSize) => new(checked((int)Math.Max(1, IntegerMath.CeilDiv(items, groupSize))));
}

/// <summary>A kernel's arguments in the order of its C# parameters, built by chained calls.</summary>
internal sealed class GpuArguments
{
    private readonly List<Argument> list = [];

    /// <summary>The arguments so far.</summary>
    public IReadOnlyList<Argument> List => list;

    /// <summary>
    /// A tensor's memory from its first element to the end of its last row; null is an empty view. Pitch and sizes are passed as numbers.
    /// </summary>
    public GpuArguments View(string name, Tensor? tensor, int? number = null) =>
        Add(new(name, number, KernelParameterKind.View, tensor, 0));

    /// <summary>An int.</summary>
    public GpuArguments Int(string name, int value, int? number = null) => Add(new(name, number, KernelParameterKind.Int32, null, value));

    /// <summary>A long.</summary>
    public GpuArguments Long(string name, long value) => Add(new(name, null, KernelParameterKind.Int64, null, value));

    /// <summary>A float.</summary>
    public GpuArguments Float(string name, float value, int? number = null) =>
        Add(new(name, number, KernelParameterKind.Single, null, BitConverter.SingleToInt32Bits(value)));

    private GpuArguments Add(Argument argument)
    {
        list.Add(argument);
        return this;
    }

    /// <summary>One argument.</summary>
    /// <param name="Word">The parameter's name, without a number at its end.</param>
    /// <param name="Number">The number at its end, if it has one.</param>
    /// <param name="Kind">Kind of the argument.</param>
    /// <param name="Tensor">A view's tensor.</param>
    /// <param name="Bits">A number's bits.</param>
    internal readonly record struct Argument(string Word, int? Number, KernelParameterKind Kind, Tensor? Tensor, long Bits)
    {
        /// <summary>The parameter's name.</summary>
        public string Name => $"{Word}{Number}";
    }
}

/// <summary>A view as passed to kernels.</summary>
/// <param name="Buffer">The memory; null for an empty view.</param>
/// <param name="Offset">Elements from its start.</param>
/// <param name="Length">Elements.</param>
internal readonly record struct GpuView(GpuBuffer? Buffer, long Offset, long Length)
{
    /// <summary>A tensor as a view of elements of the given size.</summary>
    /// <exception cref="DeviceException">The tensor is not on this device, or is not aligned to its elements.</exception>
    public static GpuView Of(GpuDevice device, Tensor? tensor, int elementBytes)
    {
        if (tensor is null || tensor.Shape.Count == 0) return default;
        var buffer = device.Own(tensor);
        if (tensor.Offset % elementBytes != 0)
            throw new DeviceException(
                $"{device.Id}: {tensor} begins at byte {tensor.Offset}, which is no multiple of the kernel's {elementBytes}-byte elements.")
            {
                Device = device.Id,
            };
        long bytes = ((long)(tensor.Rows - 1) * tensor.RowPitch + tensor.Width) * tensor.DType.Size();
        return new GpuView(buffer, tensor.Offset / elementBytes, bytes / elementBytes);
    }
}
