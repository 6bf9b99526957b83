using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Requests;

/// <summary>What to draw. Whatever is left out takes the model's own default; names are those of diffusers' pipeline call.</summary>
public sealed record ImageRequest
{
    /// <summary>One prompt, or several that are drawn together as one batch.</summary>
    public ImageRequest(params IReadOnlyList<string> prompts) => Prompts = prompts;

    /// <summary>What the images should show.</summary>
    public IReadOnlyList<string> Prompts { get; init; }

    /// <summary>What they should not show: none, one for all, or one per prompt. None is not the same as empty: SDXL then guides away from zeros.</summary>
    public IReadOnlyList<string> NegativePrompts { get; init; } = [];

    /// <summary>SDXL: prompts for the second text encoder; none means the same as <see cref="Prompts"/>.</summary>
    public IReadOnlyList<string> Prompts2 { get; init; } = [];

    /// <summary>SDXL: negative prompts for the second text encoder; none means the same as <see cref="NegativePrompts"/>.</summary>
    public IReadOnlyList<string> NegativePrompts2 { get; init; } = [];

    /// <summary>Images per prompt, at least 1; at most 1024 images in all. On a CPU no bit of an image depends on how many, up to 32, are drawn together.</summary>
    public int Count { get; init; } = 1;

    /// <summary>Width in pixels; a multiple of the VAE's factor.</summary>
    public int? Width { get; init; }

    /// <summary>Height in pixels; a multiple of the VAE's factor.</summary>
    public int? Height { get; init; }

    /// <summary>Denoising steps.</summary>
    public int? Steps { get; init; }

    /// <summary>How strongly the prompt guides, 0 … 1000; 1 and less switches classifier-free guidance off.</summary>
    public double? GuidanceScale { get; init; }

    /// <summary>Pulls the guided prediction's contrast back to that of the prompt's own, 0 … 1 (Lin et al., 2023, arXiv:2305.08891).</summary>
    public double GuidanceRescale { get; init; }

    /// <summary>Takes the text encoders' hidden state so many layers earlier.</summary>
    public int ClipSkip { get; init; }

    /// <summary>
    /// Seed of the first image's random numbers, as <c>torch.Generator("cpu").manual_seed</c>; null draws one, which the result names. Image i of the batch has a generator of its own with seed + i,
    /// so that it is the image that this seed draws alone.
    /// </summary>
    public Seed? Seed { get; init; }

    /// <summary>
    /// Draws the noise of all images from one generator, as diffusers does when it is given one and not a list. An image then depends on its place in the batch, and has no seed that draws it alone.
    /// </summary>
    public bool SharedGenerator { get; init; }

    /// <summary>η of DDIM, 0 … 1.</summary>
    public double Eta { get; init; }

    /// <summary>Custom noise levels instead of a number of steps; the last is where the run ends.</summary>
    public IReadOnlyList<double>? Sigmas { get; init; }

    /// <summary>Custom timesteps instead of a number of steps.</summary>
    public IReadOnlyList<double>? Timesteps { get; init; }

    /// <summary>Takes over noisy latents at this share of the whole run, 0 … 1, where another model stopped; needs <see cref="Latents"/>.</summary>
    public double? DenoisingStart { get; init; }

    /// <summary>Stops at this share of the whole run, 0 … 1, so that another model can go on.</summary>
    public double? DenoisingEnd { get; init; }

    /// <summary>SDXL's micro-conditioning.</summary>
    public SizeConditioning SizeConditioning { get; init; } = new();

    /// <summary>How to sample; null takes the pipeline's own scheduler.</summary>
    public Scheduler? Scheduler { get; init; }

    /// <summary>
    /// Start latents instead of drawn ones: standard normal, before multiplication by the scheduler's initial sigma; with
    /// <see cref="DenoisingStart"/> noisy latents, used as they are.
    /// </summary>
    public Latents? Latents { get; init; }

    /// <summary>Keeps the latents after every step in the result; each one is a read-back.</summary>
    public bool KeepIntermediates { get; init; }

    /// <summary>Turns the final latents into images; off when another model takes them over.</summary>
    public bool Decode { get; init; } = true;

    /// <summary>FreeU (Si et al., 2023, arXiv:2309.11497); null leaves it off.</summary>
    public FreeU? FreeU { get; init; }
}
