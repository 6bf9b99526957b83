namespace ILGpuDiffusion.Compute.Devices;

/// <summary>One op bound to its arguments, ready to run any number of times without look-up or allocation.</summary>
public abstract class Launch
{
    /// <summary>Runs the op (CPU) or queues it (GPU).</summary>
    public abstract void Run();

    /// <summary>How many kernels one run launches.</summary>
    public virtual int Count => 1;
}
