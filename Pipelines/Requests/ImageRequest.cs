using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Requests;

/// <summary>
/// Prompts and settings of a generation. Properties that are not set take the model's defaults; names are those of diffusers' pipeline
/// call.
/// </summary>
public sealed record ImageRequest
{
    /// <summary>The most images of one request.</summary>
    public const int MaxImages = 1024;

    /// <summary>One prompt, or several that are generated as one batch.</summary>
    public ImageRequest(params IReadOnlyList<string> prompts) => Prompts = prompts;

    /// <summary>What the images should show.</summary>
    public IReadOnlyList<string> Prompts { get; init; }

    /// <summary>
    /// What they should not show: none, one for all, or one per prompt. None differs from an empty one: SDXL then guides away from zero
    /// embeddings.
    /// </summary>
    public IReadOnlyList<string> NegativePrompts { get; init; } = [];

    /// <summary>SDXL: prompts for the second text encoder; none means the same as <see cref="Prompts"/>.</summary>
    public IReadOnlyList<string> Prompts2 { get; init; } = [];

    /// <summary>SDXL: negative prompts for the second text encoder; none means the same as <see cref="NegativePrompts"/>.</summary>
    public IReadOnlyList<string> NegativePrompts2 { get; init; } = [];

    /// <summary>
    /// Images per prompt, at least 1; at most 1024 images in all. On a CPU, images are bit-identical however many, up to 32, are generated
    /// together.
    /// </summary>
    public int Count { get; init; } = 1;

    /// <summary>Width in pixels; a multiple of the VAE's factor.</summary>
    public int? Width { get; init; }

    /// <summary>Height in pixels; a multiple of the VAE's factor.</summary>
    public int? Height { get; init; }

    /// <summary>Denoising steps.</summary>
    public int? Steps { get; init; }

    /// <summary>Scale of classifier-free guidance, 0 … 1000; 1 and below turn it off.</summary>
    public double? GuidanceScale { get; init; }

    /// <summary>
    /// How far the guided prediction is rescaled to the standard deviation of the prompt's own prediction, 0 … 1 (Lin et al., 2023,
    /// arXiv:2305.08891).
    /// </summary>
    public double GuidanceRescale { get; init; }

    /// <summary>Takes the text encoders' hidden state this many layers earlier.</summary>
    public int ClipSkip { get; init; }

    /// <summary>
    /// Seed of the first image's random numbers, as <c>torch.Generator("cpu").manual_seed</c>; null draws one, which the result contains.
    /// Image i of the batch has its own generator with seed + i, so that this seed generates the same image alone.
    /// </summary>
    public Seed? Seed { get; init; }

    /// <summary>
    /// Draws the noise of all images from one generator, as diffusers does when it is given one instead of a list. An image then depends on
    /// its place in the batch, and no seed generates it alone.
    /// </summary>
    public bool SharedGenerator { get; init; }

    /// <summary>η of DDIM, and γ of TCD (0.3 in its paper), 0 … 1.</summary>
    public double Eta { get; init; }

    /// <summary>Custom sigmas instead of a number of steps; the last one is the final noise level.</summary>
    public IReadOnlyList<double>? Sigmas { get; init; }

    /// <summary>Custom timesteps instead of a number of steps.</summary>
    public IReadOnlyList<double>? Timesteps { get; init; }

    /// <summary>
    /// Continues from noisy latents at this fraction of the whole run, 0 … 1, where another model stopped; needs <see cref="Latents"/>.
    /// </summary>
    public double? DenoisingStart { get; init; }

    /// <summary>Stops at this fraction of the whole run, 0 … 1, so that another model can continue.</summary>
    public double? DenoisingEnd { get; init; }

    /// <summary>SDXL's micro-conditioning.</summary>
    public SizeConditioning SizeConditioning { get; init; } = new();

    /// <summary>The scheduler; null takes the pipeline's.</summary>
    public Scheduler? Scheduler { get; init; }

    /// <summary>
    /// Start latents instead of random ones: standard normal, before multiplication by the scheduler's initial sigma; with
    /// <see cref="DenoisingStart"/> noisy latents, used unchanged.
    /// </summary>
    public Latents? Latents { get; init; }

    /// <summary>Keeps the latents after every step in the result; each of them is a read-back.</summary>
    public bool KeepIntermediates { get; init; }

    /// <summary>Decodes the final latents into images; false when another model continues with them.</summary>
    public bool Decode { get; init; } = true;

    /// <summary>FreeU (Si et al., 2023, arXiv:2309.11497); null disables it.</summary>
    public FreeU? FreeU { get; init; }

    /// <summary>
    /// An image to change: the run begins with it, and with as much noise as <see cref="Strength"/> says, instead of with noise alone. It
    /// is resized to the size of the result; without <see cref="Width"/> and <see cref="Height"/> the result has the image's size, rounded
    /// down to whole latents.
    /// </summary>
    public Image? InitImage { get; init; }

    /// <summary>
    /// How far <see cref="InitImage"/> is changed, above 0 to 1: the fraction of the steps that run. Null takes the model's default.
    /// </summary>
    public double? Strength { get; init; }

    /// <summary>
    /// Inpainting: only what is white here is redrawn in <see cref="InitImage"/>, and what is black stays. It is resized like the image.
    /// </summary>
    public Image? MaskImage { get; init; }

    /// <summary>Inpainting: standard deviation of a Gaussian blur of the mask, in its pixels; 0 for none.</summary>
    public double MaskBlur { get; init; }

    /// <summary>
    /// Inpainting: works on the part around the mask alone, with this margin in pixels, at the size of the result, and puts it back into
    /// the image; null works on the whole image.
    /// </summary>
    public int? PaddingMaskCrop { get; init; }

    /// <summary>SDXL's refiner: how beautiful the image should be, about 1 … 10.</summary>
    public double AestheticScore { get; init; } = 6;

    /// <summary>SDXL's refiner: the same for the negative prompt.</summary>
    public double NegativeAestheticScore { get; init; } = 2.5;

    /// <summary>
    /// Encoded prompts in place of <see cref="Prompts"/> and <see cref="NegativePrompts"/>, from
    /// <c>DiffusionPipeline.EncodePromptsAsync</c> or from elsewhere.
    /// </summary>
    public PromptEmbeddings? Embeddings { get; init; }

    /// <summary>Whether the result has the final latents too; it always has them without <see cref="Decode"/>. A read-back.</summary>
    public bool KeepLatents { get; init; }

    /// <summary>Encodes and decodes images in tiles, so that memory does not grow with the image; null takes the pipeline's.</summary>
    public VaeTiling? VaeTiling { get; init; }

    /// <summary>
    /// Called after every step on the generating thread, as diffusers' <c>callback_on_step_end</c>: it may read and change the latents,
    /// change the guidance scale, or end the run early.
    /// </summary>
    public Action<StepEnd>? OnStepEnd { get; init; }
}
