namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>A sampling method under its names.</summary>
/// <param name="Name">Its short name, such as <c>dpm2_a</c>.</param>
/// <param name="Elsewhere">Its names in other programs: A1111's first, where it has one, such as <c>DPM2 a</c>,
/// <c>dpm_2_ancestral</c>.</param>
/// <param name="Class">diffusers' class name.</param>
/// <param name="Spacings">The noise schedules that may follow a name, such as <c>karras</c>.</param>
/// <param name="About">What it is good for, in a sentence.</param>
public sealed record NamedSampler(string Name, IReadOnlyList<string> Elsewhere, string Class, IReadOnlyList<string> Spacings, string About);
