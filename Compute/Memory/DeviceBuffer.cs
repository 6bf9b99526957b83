namespace ILGpuDiffusion.Compute;

/// <summary>A piece of a device's memory. Its owner disposes it; tensors only look at it.</summary>
public abstract class DeviceBuffer(long bytes) : IDisposable
{
    /// <summary>Size in bytes.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>Gives the memory back. Tensors over this buffer must not be used afterwards.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the memory back once; further calls do nothing.</summary>
    protected abstract void Free();
}
