using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Pipelines.Guidance;

/// <summary>
/// Two-sided guidance: the model predicts for negative prompts and prompts in one batch, and both predictions are combined.
/// </summary>
/// <remarks>Ho and Salimans, 2022 (arXiv:2207.12598); rescaled by Lin et al., 2023 (arXiv:2305.08891).</remarks>
internal static class ClassifierFreeGuidance
{
    /// <summary>Input of the combination's coefficients, [2]: see <see cref="Coefficients"/>.</summary>
    public const string Input = "guidance";

    /// <summary>Input of the rescaling factor, [1].</summary>
    public const string RescaleInput = "guidance_rescale";

    /// <summary>The values of <see cref="Input"/>: (1 − scale) · negative + scale · prompt.</summary>
    public static (float Negative, float Prompt) Coefficients(double scale) => ((float)(1 - scale), (float)scale);

    /// <summary>Records the combination.</summary>
    /// <param name="prediction">[2n, h, w, c], the negative prompts' predictions first.</param>
    /// <param name="rescaled">Whether the result is rescaled towards the standard deviation of the prompt's own prediction.</param>
    /// <returns>[n, h, w, c].</returns>
    public static Value Combine(Value prediction, bool rescaled)
    {
        var graph = prediction.Graph;
        Value negative = Chunk(prediction, 0, 0, 2), positive = Chunk(prediction, 0, 1, 2);
        var guided = Functional.Combine(graph.LoopInvariantInput(Input, DType.Float32, 2), negative, positive);
        return rescaled ? graph.Add(new RescaleGuidance(), guided, positive, graph.LoopInvariantInput(RescaleInput, DType.Float32, 1))
            : guided;
    }
}
