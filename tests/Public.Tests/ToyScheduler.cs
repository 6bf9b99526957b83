using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Public.Tests;

/// <summary>A scheduler that an application brings along: takes the same share of the prediction away in every step.</summary>
internal sealed class ToyScheduler(ModelConfig config) : Scheduler(config)
{
    private static readonly Lazy<bool> registered = new(() =>
    {
        Register(nameof(ToyScheduler), ["num_train_timesteps"], config => new ToyScheduler(config));
        return true;
    });

    public override string Name => nameof(ToyScheduler);

    public override IReadOnlyList<string> ConfigKeys => ["num_train_timesteps"];

    public override int TrainTimesteps { get; } = config.Int("num_train_timesteps", 1000);

    protected override int HistorySlots => 0;

    public static void Register() => _ = registered.Value;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        int steps = request.Steps ?? throw new ArgumentException("The toy scheduler takes a number of steps.", nameof(request));
        double[] timesteps = [.. Enumerable.Range(0, steps).Select(i => Math.Floor((TrainTimesteps - 1) * (1 - (double)i / steps)))];
        return new(timesteps, [], InitNoiseSigma: 1);
    }

    protected override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        step.Denoise(new Blend(1, -1));
        step.Combine(Slot.Sample, (Slot.Sample, 1), (Slot.ModelOutput, -1.0 / tables.Timesteps.Length));
    }

    protected override (double Signal, double Noise) SignalAndNoise(ScheduleTables tables, int index) =>
        (1, tables.Timesteps[index] / TrainTimesteps);
}
