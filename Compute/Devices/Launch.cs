namespace ILGpuDiffusion.Compute.Devices;

/// <summary>An op bound to its arguments, which can run any number of times without look-up or allocation.</summary>
public abstract class Launch
{
    /// <summary>Runs the op (CPU) or queues it (GPU).</summary>
    public abstract void Run();

    /// <summary>Number of kernels launched per run.</summary>
    public virtual int Count => 1;
}
