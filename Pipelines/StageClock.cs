using System.Diagnostics;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

/// <summary>Measures the stages of one generation.</summary>
internal sealed class StageClock(Device device, List<StageReport> reports)
{
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private long synchronisations = device.HostSynchronisations;

    public double Seconds => watch.Elapsed.TotalSeconds;

    public void Restart()
    {
        watch.Restart();
        synchronisations = device.HostSynchronisations;
    }

    public void Finish(GenerationStage stage, StepModel? step = null, double compileSeconds = 0) => reports.Add(new StageReport(
        stage, Seconds, compileSeconds, device.PeakBytes, step?.ArenaBytes ?? 0, step?.LaunchCount ?? 0,
            device.HostSynchronisations - synchronisations));
}
