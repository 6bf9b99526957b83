using System.Text.Json;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Metadata;

public sealed partial record GenerationMetadata
{
    /// <summary>
    /// The JSON form, on one line: names are those of diffusers' pipeline call, sizes are [width, height], and defaults are omitted.
    /// </summary>
    public string ToJson()
    {
        var (request, sizes) = (Request, Request.SizeConditioning);
        var record = new GenerationRecord
        {
            Format = GenerationRecord.CurrentFormat,
            Software = Software,
            Pipeline = Pipeline,
            Model = Model,
            Refiner = Refiner,
            Device = Device,
            Dtype = DType,
            Float32Precision = Float32Precision == Float32Precision.Highest ? null : $"{Float32Precision}",
            VaeDtype = VaeDType,
            TextEncoderDtype = TextEncoderDType,
            Variant = Variant,
            Quantize = Quantize == QuantizationMode.None ? null : $"{Quantize}",
            QuantizeParts = QuantizeParts,
            QuantizeFilter = QuantizeFilter,
            Prompt = request.Prompts[0],
            NegativePrompt = First(request.NegativePrompts),
            Prompt2 = First(request.Prompts2),
            NegativePrompt2 = First(request.NegativePrompts2),
            Width = request.Width,
            Height = request.Height,
            Seed = request.Seed?.Value,
            Steps = request.Steps,
            Sigmas = request.Sigmas?.ToArray(),
            Timesteps = request.Timesteps?.ToArray(),
            Evaluations = Evaluations,
            Scheduler = SchedulerName,
            SchedulerConfig = SchedulerSettings.Count == 0 ? null : new(SchedulerSettings),
            GuidanceScale = request.GuidanceScale,
            GuidanceRescale = request.GuidanceRescale == 0 ? null : request.GuidanceRescale,
            Eta = request.Eta == 0 ? null : request.Eta,
            ClipSkip = request.ClipSkip == 0 ? null : request.ClipSkip,
            DenoisingStart = request.DenoisingStart,
            DenoisingEnd = request.DenoisingEnd,
            OriginalSize = Numbers(sizes.OriginalSize),
            TargetSize = Numbers(sizes.TargetSize),
            CropTopLeft = Numbers(sizes.CropTopLeft),
            NegativeOriginalSize = Numbers(sizes.NegativeOriginalSize),
            NegativeTargetSize = Numbers(sizes.NegativeTargetSize),
            NegativeCropTopLeft = Numbers(sizes.NegativeCropTopLeft),
            Freeu = request.FreeU is { } f ? [f.S1, f.S2, f.B1, f.B2] : null,
            ExternalLatents = ExternalLatents ? true : null,
            SharedGeneratorImages = request.SharedGenerator ? request.Count : null,
            SharedGeneratorPosition = request.SharedGenerator ? BatchPosition : null,
            VaeTilePixels = request.VaeTiling?.Pixels,
            VaeTileOverlap = request.VaeTiling?.Overlap,
            Strength = request.Strength,
            MaskBlur = request.MaskBlur == 0 ? null : request.MaskBlur,
            PaddingMaskCrop = request.PaddingMaskCrop,
            AestheticScore = request.AestheticScore == unset.AestheticScore ? null : request.AestheticScore,
            NegativeAestheticScore = request.NegativeAestheticScore == unset.NegativeAestheticScore ? null : request.NegativeAestheticScore,
            ExternalImage = ExternalImage ? true : null,
            ExternalMask = ExternalMask ? true : null,
            ExternalEmbeddings = ExternalEmbeddings ? true : null,
        };
        return JsonSerializer.Serialize(record, GenerationJson.Readable.GenerationRecord);
    }

    /// <summary>Parses the JSON form.</summary>
    /// <param name="json">The text.</param>
    /// <param name="problem">The reason, when the result is null.</param>
    internal static GenerationMetadata? TryParse(string json, out string? problem)
    {
        try
        {
            var record = JsonSerializer.Deserialize(json, GenerationJson.Readable.GenerationRecord);
            problem = record?.Prompt is null ? "it has no prompt" : record.Format != GenerationRecord.CurrentFormat
                ? $"its format is {record.Format}, and this version reads {GenerationRecord.CurrentFormat}" : null;
            return problem is null ? From(record!) : null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            problem = "it is not valid JSON of this form";
            return null;
        }
    }

    private static readonly ImageRequest unset = new("");

    private static GenerationMetadata From(GenerationRecord record) => new()
    {
        Software = record.Software,
        Pipeline = record.Pipeline,
        Model = record.Model,
        Refiner = record.Refiner,
        Device = record.Device,
        DType = record.Dtype,
        Float32Precision = record.Float32Precision is null ? Float32Precision.Highest
            : Enum.TryParse(record.Float32Precision, out Float32Precision precision) && Enum.IsDefined(precision) ? precision
                : throw new FormatException("float32_precision"),
        VaeDType = record.VaeDtype,
        TextEncoderDType = record.TextEncoderDtype,
        Variant = record.Variant,
        Quantize = record.Quantize is null ? QuantizationMode.None : Enum.TryParse(record.Quantize, out QuantizationMode q) ? q
            : throw new FormatException("quantize"),
        QuantizeParts = record.QuantizeParts,
        QuantizeFilter = record.QuantizeFilter,
        Evaluations = record.Evaluations,
        SchedulerName = record.Scheduler,
        SchedulerSettings = record.SchedulerConfig ?? [],
        ExternalLatents = record.ExternalLatents == true,
        BatchPosition = record.SharedGeneratorPosition ?? 0,
        ExternalImage = record.ExternalImage == true,
        ExternalMask = record.ExternalMask == true,
        ExternalEmbeddings = record.ExternalEmbeddings == true,
        Request = new ImageRequest(record.Prompt!)
        {
            NegativePrompts = One(record.NegativePrompt),
            Prompts2 = One(record.Prompt2),
            NegativePrompts2 = One(record.NegativePrompt2),
            Width = record.Width,
            Height = record.Height,
            Seed = record.Seed is { } seed ? (Seed)seed : null,
            Steps = record.Steps,
            Sigmas = record.Sigmas,
            Timesteps = record.Timesteps,
            GuidanceScale = record.GuidanceScale,
            GuidanceRescale = record.GuidanceRescale ?? 0,
            Eta = record.Eta ?? 0,
            ClipSkip = record.ClipSkip ?? 0,
            DenoisingStart = record.DenoisingStart,
            DenoisingEnd = record.DenoisingEnd,
            VaeTiling = record.VaeTilePixels is { } pixels ? new VaeTiling(pixels, record.VaeTileOverlap ?? 0.25) : null,
            Strength = record.Strength,
            MaskBlur = record.MaskBlur ?? 0,
            PaddingMaskCrop = record.PaddingMaskCrop,
            AestheticScore = record.AestheticScore ?? unset.AestheticScore,
            NegativeAestheticScore = record.NegativeAestheticScore ?? unset.NegativeAestheticScore,
            FreeU = record.Freeu is null ? null : record.Freeu is [var s1, var s2, var b1, var b2] ? new FreeU(s1, s2, b1, b2)
                : throw new FormatException("freeu"),
            SharedGenerator = record.SharedGeneratorImages is not null,
            Count = record.SharedGeneratorImages ?? 1,
            SizeConditioning = new SizeConditioning
            {
                OriginalSize = Size(record.OriginalSize),
                TargetSize = Size(record.TargetSize),
                CropTopLeft = Pair(record.CropTopLeft) ?? default,
                NegativeOriginalSize = Size(record.NegativeOriginalSize),
                NegativeTargetSize = Size(record.NegativeTargetSize),
                NegativeCropTopLeft = Pair(record.NegativeCropTopLeft) ?? default,
            },
        },
    };

    private static string? First(IReadOnlyList<string> texts) => texts.Count == 0 ? null : texts[0];

    private static string[] One(string? text) => text is null ? [] : [text];

    private static int[]? Numbers(PixelSize? size) => size is { } s ? [s.Width, s.Height] : null;

    private static int[]? Numbers((int Top, int Left) corner) => corner == default ? null : [corner.Top, corner.Left];

    private static PixelSize? Size(int[]? numbers) => Pair(numbers) is { } pair ? new PixelSize(pair.First, pair.Second) : null;

    private static (int First, int Second)? Pair(int[]? numbers) =>
        numbers is null ? null : numbers is [var first, var second] ? (first, second) : throw new FormatException("pair");
}
