using System.Diagnostics;
using ILGpuDiffusion.Compute;
using ILGpuDiffusion.Layers;

namespace ILGpuDiffusion.Pipelines;

/// <summary>Measures the stages of one generation.</summary>
internal sealed class StageClock(Device device, List<StageReport> reports)
{
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private long synchronisations = device.HostSynchronisations;

    public void Restart()
    {
        watch.Restart();
        synchronisations = device.HostSynchronisations;
    }

    public void Finish(GenerationStage stage, Plan? plan = null) => reports.Add(new StageReport(
        stage, watch.Elapsed.TotalSeconds, device.PeakBytes, plan?.ArenaBytes ?? 0, plan?.LaunchCount ?? 0, device.HostSynchronisations - synchronisations));
}
