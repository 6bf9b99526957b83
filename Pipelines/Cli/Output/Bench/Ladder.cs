using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Runs the rungs interleaved in one process, so that a temporary slowdown of the machine affects all of them.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="PipelineClass">diffusers' pipeline class for it.</param>
/// <param name="Results">The rungs that ran, in the order of the ladder.</param>
/// <param name="Notes">Notes on the results.</param>
internal sealed record Ladder(string Model, string PipelineClass, IReadOnlyList<RungResult> Results, IReadOnlyList<string> Notes)
{
    public static async Task<Ladder> RunAsync(string model, IReadOnlyList<Rung> rungs, ImageRequest request, int runs, Action<string> say,
        CancellationToken cancellation)
    {
        var notes = new List<string>();
        var pipelines = new List<Loaded>();
        try
        {
            foreach (var rung in rungs)
            {
                DiffusionPipeline? pipeline = null;
                try
                {
                    var device = rung.Options.Device!;
                    long others = device.AllocatedBytes; // weights of the rungs before
                    device.ResetPeak();
                    pipeline = DiffusionPipeline.FromPretrained(model, rung.Options);
                    var own = rung.Request(pipeline, request);
                    var first = await pipeline.GenerateAsync(own, null, cancellation).ConfigureAwait(false);
                    pipelines.Add(new(rung, pipeline, own, first, device.PeakBytes - others, []));
                    say($"{rung.Name}: first image {Measures.Time(BenchRun.Of(first).Total)}");
                    pipeline.Trim(); // only the running rung keeps memory
                }
                catch (Exception e) when (e is DeviceException or NotSupportedException or InvalidOperationException)
                {
                    pipeline?.Dispose();
                    notes.Add($"{rung.Name} cannot run here: {e.Message}");
                }
            }

            for (int round = 0; round < runs; round++)
            {
                for (int i = 0; i < pipelines.Count; i++)
                {
                    var loaded = pipelines[(i + round) % pipelines.Count]; // the order rotates
                    var run = BenchRun.Of(await loaded.Pipeline.GenerateAsync(loaded.Request, null, cancellation).ConfigureAwait(false));
                    loaded.Runs.Add(run);
                    loaded.Pipeline.Trim();
                    say($"round {round + 1} of {runs}, {loaded.Rung.Name}: {Measures.Time(run.Drawing)}");
                }
            }

            RungResult[] results = [.. pipelines.Select(p => new RungResult(p.Rung, BenchRun.Of(p.First), p.Runs,
                p.First.Stages.Single(s => s.Stage == GenerationStage.Denoise).Launches, p.First.Stages.Max(s => s.ArenaBytes),
                    p.PeakBytes, p.First.Settings.Evaluations, p.First.Images[0]))];
            if (results.Length == 0) throw new DeviceException($"No rung could run. {string.Join(" ", notes)}");
            foreach (var noisy in results.Where(r => r.IsNoisy))
                notes.Add($"noisy: the median of {noisy.Rung.Name} is {Measures.Percent(noisy.Spread)} above its best; the ratios, which "
                    + "compare consecutive runs, are more reliable than the seconds.");
            return new Ladder(pipelines[0].Pipeline.Name, pipelines[0].Pipeline.PipelineClass, results, notes);
        }
        finally
        {
            foreach (var loaded in pipelines) loaded.Pipeline.Dispose();
        }
    }

    private sealed record Loaded(Rung Rung, DiffusionPipeline Pipeline, ImageRequest Request, GenerationResult First, long PeakBytes,
        List<BenchRun> Runs);
}
