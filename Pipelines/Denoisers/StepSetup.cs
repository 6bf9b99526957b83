using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>What a request gives a <see cref="StepModel"/> before the first step.</summary>
/// <param name="Inputs">
/// Inputs that stay the same for all steps, by name: tensors on the device whose entries, one after the other, are those of the input.
/// </param>
/// <param name="GuidanceScale">Guidance scale at the beginning.</param>
/// <param name="GuidanceRescale">Guidance rescale.</param>
/// <param name="Images">Number of images.</param>
/// <param name="Height">Rows of latents.</param>
/// <param name="Width">Columns of latents.</param>
public sealed record StepSetup(IReadOnlyDictionary<string, IReadOnlyList<Tensor>> Inputs, double GuidanceScale, double GuidanceRescale,
    int Images, int Height, int Width);
