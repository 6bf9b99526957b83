namespace ILGpuDiffusion.Compute.Devices;

/// <summary>What staging and pacing need of a device.</summary>
internal interface IDeviceQueue
{
    /// <summary>Host memory that the device copies from quickly.</summary>
    nint AllocateStaging(int bytes);

    /// <summary>Frees such memory.</summary>
    void FreeStaging(nint memory);

    /// <summary>Queues a copy from staging memory.</summary>
    void QueueWrite(nint source, GpuBuffer target, long offset, int bytes);

    /// <summary>A mark after all that is queued.</summary>
    nint Mark();

    /// <summary>Waits until the device has come to a mark.</summary>
    void WaitAndRelease(nint mark);

    /// <summary>Forgets a mark.</summary>
    void ReleaseMark(nint mark);
}
