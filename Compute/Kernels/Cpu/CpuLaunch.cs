using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// A launch that splits its work into parts for the worker threads. Parts must not depend on the number of threads, so that results do not
/// depend on it either.
/// </summary>
internal abstract class CpuLaunch(OpCall call) : Launch, IParallelTask
{
    protected CpuWorkers Workers { get; } = ((CpuDevice)call.Device).Workers;

    public abstract void Execute(int part, int worker);

    /// <summary>Runs parts 0 … count − 1 and returns when all are done; see <see cref="CpuWorkers.Run"/>.</summary>
    protected void Parallel(int count, bool inRanges = false) => Workers.Run(this, count, inRanges);
}
