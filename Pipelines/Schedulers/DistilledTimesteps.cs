using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Timesteps of models that were distilled to few steps, LCM and TCD: chosen among the evenly spaced ones of their distillation.
/// </summary>
internal sealed class DistilledTimesteps
{
    private readonly int trainTimesteps;
    private readonly int originalSteps;

    /// <summary>Reads original_inference_steps.</summary>
    public DistilledTimesteps(ModelConfig config, int trainTimesteps)
    {
        this.trainTimesteps = trainTimesteps;
        originalSteps = config.Int("original_inference_steps", 50);
        if (originalSteps < 1 || originalSteps > trainTimesteps)
            throw config.Wrong("original_inference_steps", $"between 1 and {trainTimesteps}");
    }

    /// <summary>Evenly spaced among the timesteps of distillation (k − 1, 2k − 1, …), noisiest first.</summary>
    public double[] Timesteps(int steps, string scheduler)
    {
        if (steps > originalSteps)
            throw new DiffusionRequestException(nameof(ScheduleRequest.Steps),
                $"{scheduler}: steps is {steps}; it must be at most original_inference_steps, {originalSteps}, from which the "
                    + "timesteps are chosen.");
        int stride = trainTimesteps / originalSteps;
        return [.. Grid.Linspace(0, originalSteps, steps, endpoint: false)
            .Select(place => (originalSteps - Math.Floor(place)) * stride - 1)];
    }
}
