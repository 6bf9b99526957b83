using System.IO.Enumeration;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Layers.Quantization;

/// <summary>
/// Selects the layers to quantise: a ready-made filter, any predicate, or a list of names and patterns as <c>--quantize-filter</c> takes
/// it.
/// </summary>
public sealed class QuantizationFilter
{
    private const int LeastFeatures = 16;
    private static readonly HashSet<(int In, int Out)> guideSizes =
    [
        (256, 128), (320, 640), (512, 256), (512, 512), (512, 1536), (640, 320), (640, 640), (640, 1280), (640, 1920), (640, 5120),
        (960, 320), (960, 640), (1280, 640), (1920, 640), (1920, 1280), (2048, 1280), (2048, 2560), (2560, 1280), (2816, 1280),
    ];

    private static readonly string[] recommendedOut =
        ["*time_emb*", "add_embedding.*", "*.attn2.to_k", "*.attn2.to_v", "*.conv_shortcut"];

    private readonly Func<QuantizableLayer, bool> selects;
    private readonly IReadOnlyList<Pattern> patterns;

    private QuantizationFilter(string name, Func<QuantizableLayer, bool> selects, IReadOnlyList<Pattern>? patterns = null) =>
        (Name, this.selects, this.patterns) = (name, selects, patterns ?? []);

    /// <summary>All layers with more than 16 input features: smaller ones gain nothing.</summary>
    public static QuantizationFilter All { get; } = new("all", IsLargeEnough);

    /// <summary>
    /// The choice of diffusers' guide "Accelerate inference" for SDXL: its <c>dynamic_quant_filter_fn</c>, which leaves out the sizes that
    /// gained nothing on an A100, for linear layers; of the 1×1 convolutions those that its <c>conv_filter_fn</c> turns into linear layers
    /// (128 channels in or out), if they are not among these sizes.
    /// </summary>
    public static QuantizationFilter Guide { get; } = new("guide", layer => IsLargeEnough(layer)
        && (layer is Linear || layer.InFeatures == 128 || layer.OutFeatures == 128)
        && !guideSizes.Contains((layer.InFeatures, layer.OutFeatures)));

    /// <summary>
    /// For UNets with diffusers' names, such as SDXL's: <see cref="All"/> without what gains no time, the layers of a single row per image
    /// (time and size embeddings) and those that are computed once per image (keys and values of the prompt), and without the 1×1
    /// convolutions of shortcuts, whose inputs are neither normalised nor bounded.
    /// </summary>
    /// <remarks>
    /// Chosen with the small model that ships with the tool: PSNR to its float32 images is 59.7 dB instead of 49.2 dB with
    /// <see cref="All"/>, the mean of four prompts. Not measured with SDXL's own weights; <c>ilgd inspect --quantize int8 --report</c>
    /// shows any model's layers.
    /// </remarks>
    public static QuantizationFilter Recommended { get; } = new("recommended", layer => IsLargeEnough(layer)
        && !recommendedOut.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, layer.Path, ignoreCase: false)));

    /// <summary>The ready-made filters.</summary>
    public static IReadOnlyList<QuantizationFilter> Named => [All, Guide, Recommended];

    /// <summary>The name, or the text that was parsed; <c>custom</c> for a predicate.</summary>
    public string Name { get; }

    /// <summary>Whether the name alone describes the filter, so that <see cref="Parse"/> makes the same one of it.</summary>
    public bool IsText => patterns.Count > 0 || Named.Contains(this);

    /// <summary>A filter of any predicate.</summary>
    public static QuantizationFilter Of(Func<QuantizableLayer, bool> selects)
    {
        ArgumentNullException.ThrowIfNull(selects);
        return new("custom", selects);
    }

    /// <summary>
    /// Reads a list between commas: names of ready-made filters, and patterns over the paths of layers, such as
    /// <c>down_blocks.*.attn1.*</c>, where * stands for any text, ? for one character. A layer is selected if any of them selects it and
    /// none that begins with ! does; with those alone, the others are all layers.
    /// </summary>
    /// <exception cref="FormatException">A name is not known, or the list is empty.</exception>
    public static QuantizationFilter Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Pattern[] all = [.. text.Split(',', StringSplitOptions.TrimEntries).Select(Pattern.Parse)];
        Pattern[] taken = [.. all.Where(p => !p.Excludes)], left = [.. all.Where(p => p.Excludes)];
        return all is [{ Excludes: false, Filter: { } named }] ? named
            : new(text, layer => (taken.Length == 0 ? All.Selects(layer) : taken.Any(p => p.Matches(layer)))
                && !left.Any(p => p.Matches(layer)), all);
    }

    /// <summary>Whether a layer is to be quantised. Those that cannot be are not asked about.</summary>
    public bool Selects(QuantizableLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return selects(layer);
    }

    /// <summary>The patterns that match none of some layers: misspelt, or meant for another model.</summary>
    public IReadOnlyList<string> Unmatched(IReadOnlyCollection<QuantizableLayer> layers) =>
        [.. patterns.Where(pattern => pattern.Filter is null && !layers.Any(pattern.Matches)).Select(pattern => pattern.Text)];

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    private static bool IsLargeEnough(QuantizableLayer layer) => layer.InFeatures > LeastFeatures;

    /// <summary>One entry of a list.</summary>
    /// <param name="Text">As it is written.</param>
    /// <param name="Path">The path, with wildcards.</param>
    /// <param name="Filter">The ready-made filter that it names; null for a path.</param>
    /// <param name="Excludes">Whether it begins with !.</param>
    private sealed record Pattern(string Text, string Path, QuantizationFilter? Filter, bool Excludes)
    {
        public static Pattern Parse(string text)
        {
            bool excludes = text.StartsWith('!');
            string path = excludes ? text[1..] : text;
            var named = Named.FirstOrDefault(filter => filter.Name.Equals(path, StringComparison.OrdinalIgnoreCase));
            if (named is null && path.AsSpan().IndexOfAny("*?.") < 0)
                throw new FormatException($"{OutsideText.Quote(text)} is no filter; it must be {string.Join(", ", Named)}, or a pattern "
                    + "over the paths of layers, such as '*.attn1.*' ('!*.attn1.*' leaves them out).");
            return new(text, path, named, excludes);
        }

        public bool Matches(QuantizableLayer layer) => Filter?.Selects(layer) ?? FileSystemName.MatchesSimpleExpression(Path, layer.Path,
            ignoreCase: false);
    }
}
