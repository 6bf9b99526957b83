using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A buffer that is only its size: tensors in it say where values will lie before there is memory.</summary>
internal sealed class UnbackedBuffer(long bytes) : DeviceBuffer(bytes)
{
    /// <summary>A tensor of a type, by itself.</summary>
    public static Tensor Of(TensorType type) => new(new UnbackedBuffer(type.Bytes), 0, type.DType, type.Concrete());

    /// <inheritdoc/>
    protected override void Free() { }
}
