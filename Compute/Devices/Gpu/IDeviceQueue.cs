namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Queue operations for staging and for limiting work in flight.</summary>
internal interface IDeviceQueue
{
    /// <summary>Allocates host memory for fast copies to the device.</summary>
    nint AllocateStaging(int bytes);

    /// <summary>Frees such memory.</summary>
    void FreeStaging(nint memory);

    /// <summary>Queues a copy from staging memory.</summary>
    void QueueWrite(nint source, GpuBuffer target, long offset, int bytes);

    /// <summary>A mark after all queued work.</summary>
    nint Mark();

    /// <summary>Waits until the device has reached a mark, and releases it.</summary>
    void WaitAndRelease(nint mark);

    /// <summary>Releases a mark without waiting.</summary>
    void ReleaseMark(nint mark);
}
