namespace ILGpuDiffusion.Layers.Blocks;

/// <summary>What all <see cref="ResnetBlock2D"/>s of a model have in common.</summary>
/// <param name="TimeChannels">Width of the time embedding, or null for a model without time.</param>
/// <param name="NormGroups">Groups of every normalisation; divides the channels.</param>
/// <param name="NormEpsilon">Added to the variance.</param>
public sealed record ResnetOptions(int? TimeChannels, int NormGroups, double NormEpsilon);
