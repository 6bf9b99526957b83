using System.CommandLine;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Metadata;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The options of a second model that ends the run.</summary>
internal sealed class RefinerArguments
{
    private const double UsualEnd = 0.8;

    private readonly Option<string?> refiner = new("--refiner")
    {
        Description = "Model that ends the run from --denoising-end on (0.8 if left out), as SDXL's",
        HelpName = "DIR|FILE",
    };
    private readonly Option<double?> score = Options.Number("--aesthetic-score", "Refiner: how beautiful the image is, about 1 to 10");
    private readonly Option<double?> negativeScore =
        Options.Number("--negative-aesthetic-score", "Refiner: the same for the negative prompt");

    /// <summary>In the order of the help.</summary>
    public IReadOnlyList<Option> All => [refiner, score, negativeScore];

    /// <summary>The refiner's folder or file; null for none.</summary>
    public string? Path(ParseResult parsed) => parsed.GetValue(refiner);

    /// <summary>Checks what can be checked before the models are loaded.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="origin">Metadata of the image to generate again; null for none.</param>
    /// <param name="file">That image's file.</param>
    /// <param name="end">The value of --denoising-end; null for none.</param>
    /// <param name="hasMask">Whether a part of an image is redrawn.</param>
    /// <exception cref="ArgumentException">Options do not go together.</exception>
    public void Check(ParseResult parsed, GenerationMetadata? origin, string? file, double? end, bool hasMask)
    {
        string? path = Path(parsed);
        if (path is null && origin?.Refiner is { } name)
            throw new ArgumentException($"--refiner is missing: {OutsideText.Quote(file ?? "")} was ended by the refiner "
                + $"{OutsideText.Quote(name)}.");
        if (path is not null && end is <= 0 or >= 1)
            throw new ArgumentException($"--denoising-end is {end}; with --refiner it must be above 0 and below 1: the fraction of the run "
                + "where the refiner goes on.");
        if (path is not null && hasMask)
            throw new ArgumentException("--mask-image and --refiner are given; a refiner goes on with whole images. Leave one "
                + "of them out.");
    }

    /// <summary>Loads the refiner as another model is loaded, whose configurations are not for it; null for none.</summary>
    public DiffusionPipeline? Load(ParseResult parsed, PipelineOptions options)
    {
        if (Path(parsed) is not { } path) return null;
        var source = (options.Source ?? new()) with { ConfigFolder = null };
        bool hasVariant = options.Variant is { } variant && ModelSource.Open(path, source).HasVariant(variant);
        return DiffusionPipeline.FromPretrained(path, options with
        {
            Variant = hasVariant ? options.Variant : null,
            Source = source,
            Pack = [], // the device has the packs already
        });
    }

    /// <summary>The request with the options' settings: with a refiner, it stops early and is not decoded.</summary>
    public ImageRequest Apply(ParseResult parsed, ImageRequest request)
    {
        request = request with
        {
            AestheticScore = parsed.GetValue(score) ?? request.AestheticScore,
            NegativeAestheticScore = parsed.GetValue(negativeScore) ?? request.NegativeAestheticScore,
        };
        return Path(parsed) is null ? request : request with { DenoisingEnd = request.DenoisingEnd ?? UsualEnd, Decode = false };
    }
}
