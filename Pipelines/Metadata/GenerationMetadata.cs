using System.Text.Json;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Metadata;

/// <summary>
/// How one image was generated, with everything that is needed to reproduce it. Pipelines add it to every image
/// (<see cref="Image.RequestJson"/>), and files keep it: PNG in the text chunk <see cref="Keyword"/>, JPEG and WebP in EXIF. Its texts come
/// from a file and are not to be trusted.
/// </summary>
public sealed partial record GenerationMetadata
{
    /// <summary>Keyword of the PNG text chunk that holds the JSON form.</summary>
    public const string Keyword = PngText.Request;

    /// <summary>
    /// The request for this image alone, with its own prompt and seed and defaults filled in. Without scheduler and start latents; see
    /// <c>RequestFor</c>.
    /// </summary>
    public required ImageRequest Request { get; init; }

    /// <summary>
    /// diffusers' class name of the scheduler, or the sampler name of an image from another program; null takes the model's own.
    /// </summary>
    public string? SchedulerName { get; init; }

    /// <summary>The scheduler's settings under the keys of scheduler_config.json, the model's own included.</summary>
    public IReadOnlyDictionary<string, JsonElement> SchedulerSettings { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>The model folder's name.</summary>
    public string? Model { get; init; }

    /// <summary>The name of the model that ended the run after <see cref="Model"/> (<see cref="Refinement"/>); null for none.</summary>
    public string? Refiner { get; init; }

    /// <summary>The pipeline's class.</summary>
    public string? Pipeline { get; init; }

    /// <summary>The device's id and product name.</summary>
    public string? Device { get; init; }

    /// <summary>The type that the models computed in, as <see cref="DType"/> names it.</summary>
    public string? DType { get; init; }

    /// <summary>How components that computed in Float32 multiplied.</summary>
    public Float32Precision Float32Precision { get; init; }

    /// <summary>The autoencoder's type; null for that of the other models.</summary>
    public string? VaeDType { get; init; }

    /// <summary>The text encoders' type; null for that of the other models.</summary>
    public string? TextEncoderDType { get; init; }

    /// <summary>The requested variant of the weights (<see cref="PipelineOptions.Variant"/>); null for none.</summary>
    public string? Variant { get; init; }

    /// <summary>Quantization of linear layers and 1×1 convolutions.</summary>
    public QuantizationMode Quantize { get; init; }

    /// <summary>The parts that were quantised, as <c>QuantizedParts</c> names them; null for the denoiser alone.</summary>
    public string? QuantizeParts { get; init; }

    /// <summary>The filter of the layers that were quantised, as <see cref="QuantizationFilter"/> names it; null for all.</summary>
    public string? QuantizeFilter { get; init; }

    /// <summary>Name and version of the program that generated it.</summary>
    public string? Software { get; init; }

    /// <summary>Number of denoiser evaluations.</summary>
    public int? Evaluations { get; init; }

    /// <summary>Whether the run began with given latents. The image does not contain them.</summary>
    public bool ExternalLatents { get; init; }

    /// <summary>
    /// Position of the image among those of one generator (<see cref="ImageRequest.SharedGenerator"/>); 0 for an image with its own seed.
    /// </summary>
    public int BatchPosition { get; init; }

    /// <summary>Whether the run began with an initial image. The image does not contain it.</summary>
    public bool ExternalImage { get; init; }

    /// <summary>Whether the run had a mask. The image does not contain it.</summary>
    public bool ExternalMask { get; init; }

    /// <summary>Whether the run had embeddings in place of prompts. The image does not contain them.</summary>
    public bool ExternalEmbeddings { get; init; }

    /// <summary>
    /// Settings of the image that are not supported here, each as a sentence part such as <c>Hires upscale: 2</c>; empty for images of this
    /// library.
    /// </summary>
    public IReadOnlyList<string> Unmapped { get; init; } = [];

    /// <summary>
    /// Reads the metadata of an image file: the JSON form where there is one, else the text that AUTOMATIC1111 and others write, as far as
    /// it maps.
    /// </summary>
    /// <param name="path">A PNG, JPEG or WebP file.</param>
    /// <exception cref="ImageFileException">The file is not an image, or has no metadata.</exception>
    public static GenerationMetadata Read(string path) =>
        Of(Image.Load(path)) ?? throw new ImageFileException(path,
            "it has no generation metadata (no text chunk 'ilgpudiffusion' or 'parameters').");

    /// <summary>As <see cref="Read"/>, from an image; null when it has no metadata.</summary>
    public static GenerationMetadata? Of(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        string? problem = null;
        if (image.RequestJson is { } json && TryParse(json, out problem) is { } own) return own;
        if (image.Parameters is not { } text)
            return problem is null ? null : throw new ImageFileException("image", $"its text chunk '{Keyword}' cannot be used: {problem}.");
        var read = ForeignMetadata.From(A1111Parameters.Parse(text));
        return problem is null ? read
            : read with { Unmapped = [$"the text chunk '{Keyword}', which cannot be used ({problem})", .. read.Unmapped] };
    }
}
