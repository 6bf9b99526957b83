using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Modules;

/// <summary>The memory of a model's quantised weights. Disposing it makes them invalid.</summary>
public sealed class QuantizedWeights : IDisposable
{
    private readonly List<DeviceBuffer> buffers = [];

    internal QuantizedWeights() { }

    /// <summary>Number of quantised layers.</summary>
    public int Layers { get; private set; }

    /// <summary>Bytes of the weights as they were stored.</summary>
    public long OriginalBytes { get; private set; }

    /// <summary>Bytes of the quantised weights, their scales and biases.</summary>
    public long Bytes => buffers.Sum(b => b.Bytes);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in buffers) buffer.Dispose();
        buffers.Clear();
    }

    internal void Count(Tensor original)
    {
        Layers++;
        OriginalBytes += original.Type.Bytes;
    }

    internal Tensor Add(Tensor tensor)
    {
        buffers.Add(tensor.Buffer);
        return tensor;
    }
}
