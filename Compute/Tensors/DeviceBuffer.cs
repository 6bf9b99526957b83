namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>A piece of a device's memory. Its owner disposes it; tensors only look at it.</summary>
public abstract class DeviceBuffer(long bytes) : IDisposable
{
    /// <summary>Size in bytes.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>Address of the first byte for code that runs on the processor; 0 for memory that it cannot read, or that was freed.</summary>
    internal nint HostAddress { get; private protected set; }

    /// <summary>Gives the memory back. Tensors over this buffer must not be used afterwards.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the memory back once; further calls do nothing.</summary>
    protected abstract void Free();
}
