using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Pipelines.Metadata;

/// <summary>How an image was generated, in the text form that the AUTOMATIC1111 web interface introduced and most viewers read.</summary>
/// <param name="Prompt">The prompt.</param>
public sealed partial record A1111Parameters(string Prompt)
{
    /// <summary>The negative prompt; its line is left out when empty.</summary>
    public string? NegativePrompt { get; init; }

    /// <summary>Denoising steps.</summary>
    public int Steps { get; init; }

    /// <summary>The sampler's name, such as <c>Euler</c>.</summary>
    public string Sampler { get; init; } = "";

    /// <summary>Guidance scale.</summary>
    public double CfgScale { get; init; }

    /// <summary>The seed of this image.</summary>
    public Seed Seed { get; init; }

    /// <summary>In pixels.</summary>
    public int Width { get; init; }

    /// <summary>In pixels.</summary>
    public int Height { get; init; }

    /// <summary>The model's name; left out when empty.</summary>
    public string? Model { get; init; }

    /// <summary>Further settings, written last in the order given: <c>("Denoising strength", "0.75")</c>.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Extra { get; init; } = [];

    /// <summary>
    /// Prompt, then a line "Negative prompt: …", then one line "Steps: …, Sampler: …, CFG scale: …, Seed: …, Size: …, Model: …" with the
    /// further settings. A value with a comma, colon or line break is quoted, as a JSON string.
    /// </summary>
    public string Format()
    {
        var settings = new List<KeyValuePair<string, string>>
        {
            new("Steps", Steps.ToString(CultureInfo.InvariantCulture)),
            new("Sampler", Sampler),
            new("CFG scale", CfgScale.ToString(CultureInfo.InvariantCulture)),
            new("Seed", Seed.ToString()),
            new("Size", string.Create(CultureInfo.InvariantCulture, $"{Width}x{Height}")),
        };
        if (!string.IsNullOrEmpty(Model)) settings.Add(new("Model", Model));
        settings.AddRange(Extra);
        string negative = string.IsNullOrEmpty(NegativePrompt) ? "" : $"\nNegative prompt: {NegativePrompt}";
        return $"{Prompt}{negative}\n{string.Join(", ", settings.Select(s => $"{s.Key}: {Quote(s.Value)}"))}";
    }

    private static string Quote(string value) =>
        value.AsSpan().ContainsAny(",:\n") ? $"\"{JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"" : value;
}
