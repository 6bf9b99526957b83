namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>A block of device memory. Its owner disposes it; tensors are views of it.</summary>
public abstract class DeviceBuffer(long bytes) : IDisposable
{
    /// <summary>Size in bytes.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>Host address of the first byte; 0 for memory that the host cannot read, or that was freed.</summary>
    internal nint HostAddress { get; private protected set; }

    /// <summary>Frees the memory. Tensors over this buffer must not be used afterwards.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory once; further calls do nothing.</summary>
    protected abstract void Free();
}
