using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Several launches, run in order as one step of a plan.</summary>
internal sealed class SequenceLaunch(params Launch[] launches) : Launch
{
    public override int Count => launches.Sum(launch => launch.Count);

    public override void Run()
    {
        foreach (var launch in launches) launch.Run();
    }
}
