using System.Text.Json;

namespace ILGpuDiffusion.Cli;

/// <summary>How the tool writes JSON.</summary>
internal static class JsonForm
{
    public static JsonSerializerOptions Indented { get; } = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // for terminals and files, not for web pages
    };
}
