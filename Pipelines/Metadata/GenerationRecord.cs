using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ILGpuDiffusion.Pipelines.Metadata;

/// <summary>The JSON form of <see cref="GenerationMetadata"/>. Null values are not written.</summary>
internal sealed record GenerationRecord
{
    /// <summary>The format that this version writes.</summary>
    public const int CurrentFormat = 1;

    public int Format { get; init; }

    public string? Software { get; init; }

    public string? Pipeline { get; init; }

    public string? Model { get; init; }

    public string? Refiner { get; init; }

    public string? Device { get; init; }

    public string? Dtype { get; init; }

    public string? Float32Precision { get; init; }

    public string? VaeDtype { get; init; }

    public string? TextEncoderDtype { get; init; }

    public string? Variant { get; init; }

    public string? Quantize { get; init; }

    public string? QuantizeParts { get; init; }

    public string? QuantizeFilter { get; init; }

    public string? Prompt { get; init; }

    public string? NegativePrompt { get; init; }

    [JsonPropertyName("prompt_2")]
    public string? Prompt2 { get; init; }

    [JsonPropertyName("negative_prompt_2")]
    public string? NegativePrompt2 { get; init; }

    public int? Width { get; init; }

    public int? Height { get; init; }

    public ulong? Seed { get; init; }

    public int? Steps { get; init; }

    public double[]? Sigmas { get; init; }

    public double[]? Timesteps { get; init; }

    public int? Evaluations { get; init; }

    public string? Scheduler { get; init; }

    public Dictionary<string, JsonElement>? SchedulerConfig { get; init; }

    public double? GuidanceScale { get; init; }

    public double? GuidanceRescale { get; init; }

    public double? Eta { get; init; }

    public int? ClipSkip { get; init; }

    public double? DenoisingStart { get; init; }

    public double? DenoisingEnd { get; init; }

    /// <summary>Width and height, as all sizes here.</summary>
    public int[]? OriginalSize { get; init; }

    public int[]? TargetSize { get; init; }

    /// <summary>Top and left, as all corners here.</summary>
    public int[]? CropTopLeft { get; init; }

    public int[]? NegativeOriginalSize { get; init; }

    public int[]? NegativeTargetSize { get; init; }

    public int[]? NegativeCropTopLeft { get; init; }

    /// <summary>S1, S2, B1, B2.</summary>
    public double[]? Freeu { get; init; }

    /// <summary>True when start latents were given, which an image does not contain.</summary>
    public bool? ExternalLatents { get; init; }

    /// <summary>Images that one generator drew, and this one's place among them.</summary>
    public int? SharedGeneratorImages { get; init; }

    public int? SharedGeneratorPosition { get; init; }

    public double? Strength { get; init; }

    public double? MaskBlur { get; init; }

    public int? PaddingMaskCrop { get; init; }

    public double? AestheticScore { get; init; }

    public double? NegativeAestheticScore { get; init; }

    public bool? ExternalImage { get; init; }

    public bool? ExternalMask { get; init; }

    public bool? ExternalEmbeddings { get; init; }

    public int? VaeTilePixels { get; init; }

    public double? VaeTileOverlap { get; init; }
}

/// <summary>Reads and writes <see cref="GenerationRecord"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(FiniteNumbers)])]
[JsonSerializable(typeof(GenerationRecord))]
internal sealed partial class GenerationJson : JsonSerializerContext
{
    /// <summary>Does not escape letters of any script: the text is stored in a file, not in a web page.</summary>
    public static GenerationJson Readable =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
