namespace ILGpuDiffusion.Layers.Blocks;

/// <summary>Options shared by all <see cref="ResnetBlock2D"/>s of a model.</summary>
/// <param name="TimeChannels">Width of the time embedding; null for a model without one.</param>
/// <param name="NormGroups">Groups of every normalisation; must divide the channels.</param>
/// <param name="NormEpsilon">Added to the variance.</param>
public sealed record ResnetOptions(int? TimeChannels, int NormGroups, double NormEpsilon);
