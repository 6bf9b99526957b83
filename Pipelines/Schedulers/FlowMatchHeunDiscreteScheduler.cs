using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Heun's method for rectified flow (see <see cref="FlowScheduler"/>): a step takes the mean of the slopes at both of its ends; the last
/// one is Euler's. The tables repeat every level but the first.
/// </summary>
internal sealed class FlowMatchHeunDiscreteScheduler(ModelConfig config) : FlowScheduler(config)
{
    public static readonly string[] Keys = ["num_train_timesteps", "shift"];

    private static readonly Slot Halfway = Slot.History(0); // the start of the step plus half of its first slope

    public override string Name => nameof(FlowMatchHeunDiscreteScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    public override int Order => 2;

    protected internal override int HistorySlots => 1;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Timesteps is not null) throw Refuse(nameof(ScheduleRequest.Timesteps), "custom timesteps");
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        double[] sigmas = SigmaTable.Rounded(Even(request.Steps!.Value, shifted: true).Select(Shifted));
        double[] repeated = [sigmas[0], .. sigmas[1..].SelectMany(sigma => new[] { sigma, sigma })];
        return new(Timesteps(repeated), [.. repeated, 0], 1);
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        if ((index - done) % Order != 0)
            throw new DiffusionRequestException("DenoisingStart",
                $"{Name} cannot begin at evaluation {index - done}, in the middle of a step; begin at an even one.");
        int begin = index - index % Order;
        double sigma = tables.Sigmas[begin], target = tables.Sigmas[begin + 1];
        // diffusers draws for both evaluations, and the second draw has no effect
        var (sigmaHat, noise) = EulerStep.Churn(request, tables, sigma);
        step.NeedsNoise = sigmaHat > sigma;
        step.Denoise(Denoised(tables.Sigmas[index]));
        double length = target - sigmaHat, slope = sigma / sigmaHat; // of the velocity, which diffusers takes at σ
        if (index != begin)
        {
            step.Combine(Slot.Sample, (Halfway, 1), (Slot.ModelOutput, length / 2));
            return;
        }

        if (index < tables.Timesteps.Length - 1) // the last step has no second half
            step.Combine(Halfway, (Slot.Sample, 1), (Slot.ModelOutput, slope * length / 2), (Slot.Noise, noise));
        step.Combine(Slot.Sample, (Slot.Sample, 1), (Slot.ModelOutput, slope * length), (Slot.Noise, noise));
    }
}
