using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A buffer without memory: tensors in it have types and offsets before memory is allocated.</summary>
internal sealed class UnbackedBuffer(long bytes) : DeviceBuffer(bytes)
{
    /// <summary>A tensor of a type in a buffer of its own.</summary>
    public static Tensor Of(TensorType type) => new(new UnbackedBuffer(type.Bytes), 0, type.DType, type.Concrete());

    /// <inheritdoc/>
    protected override void Free() { }
}
