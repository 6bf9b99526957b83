using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ILGpuDiffusion.Cli;

/// <summary>How the tool writes JSON.</summary>
internal static class JsonForm
{
    private static readonly JsonSerializerOptions Indented = Options();

    /// <summary>A value as indented JSON, names in snake case.</summary>
    /// <typeparam name="T">An anonymous type, or one of the rooms' public records: a trimmed tool keeps the members of both whole.</typeparam>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "ilgd and the rooms whose records it writes are roots of the trimmed tool (see its project file); a test run of it compares its JSON.")]
    public static string Text<T>(T value) => JsonSerializer.Serialize(value, Indented);

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "As above.")]
    private static JsonSerializerOptions Options() => new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // for terminals and files, not for web pages
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(), // a trimmed program has no resolver unless it names one
    };
}
