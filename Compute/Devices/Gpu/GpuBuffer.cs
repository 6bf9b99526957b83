using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Memory of a GPU device: a device address (CUDA) or a memory object (OpenCL).</summary>
internal abstract class GpuBuffer(GpuDevice device, nint handle, long bytes) : DeviceBuffer(bytes)
{
    private nint handle = handle;

    /// <summary>The owning device.</summary>
    public GpuDevice Device => device;

    /// <summary>The driver's handle.</summary>
    /// <exception cref="ObjectDisposedException">It was freed.</exception>
    public nint Handle =>
        handle != 0 ? handle : throw new ObjectDisposedException(nameof(GpuBuffer),
            $"A buffer of {Bytes} bytes on {device.Id} is used after it was freed.");

    /// <summary>Frees memory that was not disposed.</summary>
    ~GpuBuffer() => Free();

    /// <inheritdoc/>
    protected sealed override void Free()
    {
        nint freed = Interlocked.Exchange(ref handle, 0);
        if (freed == 0) return;
        Free(freed);
        device.Freed(Bytes);
    }

    /// <summary>
    /// Frees the memory once queued work no longer needs it. Does not report failures: the memory is freed with the device at the latest.
    /// </summary>
    protected abstract void Free(nint handle);
}
