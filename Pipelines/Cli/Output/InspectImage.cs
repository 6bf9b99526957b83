using System.Text.Json;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Metadata;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Output of <c>ilgd inspect</c> for an image: how it was generated.</summary>
internal static class InspectImage
{
    private const int LongestValue = 1000;

    /// <summary>Whether a path names an image instead of a model.</summary>
    public static bool IsImage(string? path) =>
        File.Exists(path) && Image.FileExtensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Prints the image's metadata.</summary>
    public static void Print(string path, bool json)
    {
        var image = Image.Load(path);
        var metadata = GenerationMetadata.Of(image)
            ?? throw new ImageFileException(path, "it has no generation metadata (no text chunk 'ilgpudiffusion' or 'parameters').");
        using var request = JsonDocument.Parse(metadata.ToJson());
        if (json)
        {
            JsonOutput.Print(new
            {
                file = path,
                width = image.Width,
                height = image.Height,
                request = request.RootElement,
                unmapped = metadata.Unmapped,
                parameters = image.Parameters
            });
            return;
        }

        Terminals.Say($"{OutsideText.Line(path)}  {image.Width}x{image.Height}");
        var table = new Listing("", "");
        foreach (var property in request.RootElement.EnumerateObject())
            if (property.Name != "format") table.Add($"  {property.Name.Replace('_', ' ')}", Shown(property.Value));
        foreach (string note in metadata.Unmapped) table.Add("  not mapped", OutsideText.Line(note, LongestValue));
        table.Print();
    }

    private static string Shown(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => OutsideText.Line(value.GetString()!, LongestValue),
        JsonValueKind.Object => OutsideText.Line(string.Join(", ",
            value.EnumerateObject().Select(p => $"{p.Name}={(p.Value.ValueKind == JsonValueKind.Null ? "None" : p.Value)}")), LongestValue),
        JsonValueKind.Array => OutsideText.Line(string.Join(", ", value.EnumerateArray()), LongestValue),
        _ => OutsideText.Line(value.GetRawText(), LongestValue),
    };
}
