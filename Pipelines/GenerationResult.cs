using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

/// <summary>What a generation gave.</summary>
public sealed record GenerationResult
{
    /// <summary>The images, all those of the first prompt first; empty when decoding was switched off.</summary>
    public required IReadOnlyList<Image> Images { get; init; }

    /// <summary>The final latents, before the VAE's scaling is undone.</summary>
    public required Latents Latents { get; init; }

    /// <summary>The latents after every step, when asked for.</summary>
    public required IReadOnlyList<Latents> Intermediates { get; init; }

    /// <summary>The first image's seed.</summary>
    public Seed Seed => Seeds[0];

    /// <summary>The seed of each image, which draws it alone: seed, seed + 1, …; with <see cref="ImageRequest.SharedGenerator"/> the batch's one seed for each.</summary>
    public required IReadOnlyList<Seed> Seeds { get; init; }

    /// <summary>The settings that were used, defaults filled in.</summary>
    public required GenerationSettings Settings { get; init; }

    /// <summary>What the caller should know, such as a prompt that was cut.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Time and memory of each stage.</summary>
    public required IReadOnlyList<StageReport> Stages { get; init; }
}

/// <summary>A request's settings with the model's defaults filled in.</summary>
/// <param name="Size">Of one image.</param>
/// <param name="Steps">Denoising steps as asked for; custom sigmas and timesteps count as the steps that they make.</param>
/// <param name="GuidanceScale">Classifier-free guidance.</param>
/// <param name="SchedulerName">diffusers' class name.</param>
/// <param name="Evaluations">How often the denoiser was asked: PNDM needs one more than there are steps, a run with denoising start or end fewer.</param>
public sealed record GenerationSettings(PixelSize Size, int Steps, double GuidanceScale, string SchedulerName, int Evaluations);

/// <summary>Time and memory of one stage.</summary>
/// <param name="Stage">Which.</param>
/// <param name="Seconds">From its start to its end.</param>
/// <param name="CompileSeconds">Tracing, compiling and planning before a denoising loop, on top of <paramref name="Seconds"/>; the other stages count it inside.</param>
/// <param name="PeakBytes">The most memory that the device had allocated by the stage's end; mapped weights not counted.</param>
/// <param name="ArenaBytes">Memory that the stage's plan was given for intermediate values.</param>
/// <param name="Launches">Kernels launched in one run of the plan.</param>
/// <param name="HostSynchronisations">How often values were read back from the device, which makes the host wait for it.</param>
public sealed record StageReport(GenerationStage Stage, double Seconds, double CompileSeconds, long PeakBytes, long ArenaBytes, int Launches, long HostSynchronisations);
