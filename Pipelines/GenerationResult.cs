using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

/// <summary>Result of a generation.</summary>
public sealed record GenerationResult
{
    /// <summary>The images, all those of the first prompt first; empty where <see cref="ImageRequest.Decode"/> is false.</summary>
    public required IReadOnlyList<Image> Images { get; init; }

    /// <summary>
    /// The final latents, before the VAE's scaling is undone; null unless <see cref="ImageRequest.KeepLatents"/> is true or
    /// <see cref="ImageRequest.Decode"/> false.
    /// </summary>
    public required Latents? Latents { get; init; }

    /// <summary>The latents after every step, where <see cref="ImageRequest.KeepIntermediates"/> is true.</summary>
    public required IReadOnlyList<Latents> Intermediates { get; init; }

    /// <summary>The first image's seed.</summary>
    public Seed Seed => Seeds[0];

    /// <summary>
    /// The seed of each image, which generates it alone: seed, seed + 1, …; with <see cref="ImageRequest.SharedGenerator"/> the batch's one
    /// seed for each.
    /// </summary>
    public required IReadOnlyList<Seed> Seeds { get; init; }

    /// <summary>The settings used, with defaults filled in.</summary>
    public required GenerationSettings Settings { get; init; }

    /// <summary>Warnings, for example about a truncated prompt.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Time and memory of each stage.</summary>
    public required IReadOnlyList<StageReport> Stages { get; init; }
}

/// <summary>A request's settings with the model's defaults filled in.</summary>
/// <param name="Size">Size of one image.</param>
/// <param name="Steps">Denoising steps as requested; custom sigmas and timesteps count as the steps that they make.</param>
/// <param name="GuidanceScale">Classifier-free guidance.</param>
/// <param name="SchedulerName">diffusers' class name.</param>
/// <param name="Evaluations">Number of denoiser evaluations: PNDM needs one more than there are steps, a run with denoising start or end
/// fewer.</param>
public sealed record GenerationSettings(PixelSize Size, int Steps, double GuidanceScale, string SchedulerName, int Evaluations);

/// <summary>Time and memory of one stage.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Seconds">Its duration.</param>
/// <param name="CompileSeconds">Time for tracing, compiling and planning before a denoising loop, in addition to
/// <paramref name="Seconds"/>; for other stages it is included there.</param>
/// <param name="PeakBytes">The most memory that the device had allocated by the end of the stage, without mapped weights.</param>
/// <param name="ArenaBytes">Memory of the stage's plan for intermediate values.</param>
/// <param name="Launches">Kernels launched in one run of the plan.</param>
/// <param name="HostSynchronisations">Number of read-backs from the device, each of which makes the host wait for it.</param>
public sealed record StageReport(GenerationStage Stage, double Seconds, double CompileSeconds, long PeakBytes, long ArenaBytes,
    int Launches, long HostSynchronisations);
