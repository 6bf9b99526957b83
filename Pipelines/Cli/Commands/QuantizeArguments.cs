using System.CommandLine;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.Metadata;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The options for int8.</summary>
internal sealed class QuantizeArguments
{
    private static readonly Dictionary<string, QuantizedParts> Words = new(StringComparer.Ordinal)
    {
        ["denoiser"] = QuantizedParts.Denoiser,
        ["vae"] = QuantizedParts.Vae,
        ["text-encoders"] = QuantizedParts.TextEncoders,
    };

    private readonly Option<string?> mode = Options.Word("--quantize",
        "Linear layers in less memory: int8 (faster), int8-weight-only or none (default)", "TYPE", "none", "int8", "int8-weight-only");
    private readonly Option<QuantizedParts?> parts = Options.Parsed<QuantizedParts?>("--quantize-parts",
        "With --quantize: parts of the model, denoiser (default), vae, text-encoders", "PART,…",
        "one or more, between commas, of denoiser, vae, text-encoders", ParseParts);
    private readonly Option<QuantizationFilter?> filter = new("--quantize-filter")
    {
        Description = $"With --quantize: layers by name ({string.Join(", ", QuantizationFilter.Named)}) or pattern (!*.attn1.*)",
        HelpName = "NAME|PATTERN,…",
        CustomParser = result =>
        {
            try
            {
                return QuantizationFilter.Parse(result.Tokens.Count > 0 ? result.Tokens[^1].Value : "");
            }
            catch (FormatException e)
            {
                result.AddError($"--quantize-filter: {e.Message}");
                return null;
            }
        },
    };

    /// <summary>All options.</summary>
    public Option[] All => [mode, parts, filter];

    /// <summary>The options with what was asked for, and for what was not, with the settings of an image.</summary>
    /// <exception cref="ArgumentException">Parts or a filter are given, but nothing is quantised.</exception>
    public PipelineOptions Read(ParseResult parsed, PipelineOptions options, GenerationMetadata? origin = null)
    {
        QuantizationMode? given = ModeOf(parsed);
        if (given is QuantizationMode.None || (given is null && origin is not { Quantize: not QuantizationMode.None }))
        {
            foreach (Option option in (Option[])[parts, filter])
                if (parsed.GetResult(option) is { Implicit: false })
                    throw new ArgumentException($"{option.Name} is given, but nothing is quantised. Add --quantize int8.");
            return options;
        }

        bool same = given is null || given == origin?.Quantize; // otherwise the image's parts and filter say nothing
        return options with
        {
            Quantize = given ?? origin!.Quantize,
            QuantizeParts = parsed.GetValue(parts) ?? (same ? PartsOf(origin) : QuantizedParts.Denoiser),
            QuantizeFilter = parsed.GetValue(filter) ?? (same ? FilterOf(origin) : null),
        };
    }

    /// <summary>The options for one kind, whatever <c>--quantize</c> says.</summary>
    public PipelineOptions ReadAs(ParseResult parsed, QuantizationMode kind, PipelineOptions options) => options with
    {
        Quantize = kind,
        QuantizeParts = parsed.GetValue(parts) ?? QuantizedParts.Denoiser,
        QuantizeFilter = parsed.GetValue(filter),
    };

    /// <summary>What is to be quantised; null if it is not given.</summary>
    public QuantizationMode? ModeOf(ParseResult parsed) => parsed.GetValue(mode) switch
    {
        null => null,
        "int8" => QuantizationMode.Int8,
        "int8-weight-only" => QuantizationMode.Int8WeightOnly,
        _ => QuantizationMode.None,
    };

    private static QuantizedParts PartsOf(GenerationMetadata? origin) =>
        Enum.TryParse(origin?.QuantizeParts, out QuantizedParts named) ? named : QuantizedParts.Denoiser;

    private static QuantizationFilter? FilterOf(GenerationMetadata? origin)
    {
        try
        {
            return origin?.QuantizeFilter is { } text ? QuantizationFilter.Parse(text) : null;
        }
        catch (FormatException)
        {
            return null; // a predicate of a program; the differences are shown
        }
    }

    private static QuantizedParts? ParseParts(string text)
    {
        var named = QuantizedParts.None;
        foreach (string word in text.ToLowerInvariant().Split(',', StringSplitOptions.TrimEntries))
        {
            if (!Words.TryGetValue(word, out var part)) return null;
            named |= part;
        }

        return named;
    }
}
