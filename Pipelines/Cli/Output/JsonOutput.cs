using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>How the tool writes JSON.</summary>
internal static class JsonOutput
{
    private static readonly JsonSerializerOptions Indented = Options();

    /// <summary>
    /// A value as indented JSON, names in snake case, exactly: what is invisible, such as characters that turn the direction of writing
    /// around, can only stand in
    /// strings, where an escape means the same.
    /// </summary>
    /// <param name="value">Of an anonymous type, or one of the rooms' public records: a trimmed tool keeps the members of both
    /// whole.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2026",
        Justification = "ilgd and the rooms whose records it writes are roots of the trimmed tool (see its project file); a test run of it compares its " +
        "JSON.")]
    public static string Of(object value) => OutsideText.Visible(JsonSerializer.Serialize(value, Indented));

    /// <summary>Prints the value on stdout.</summary>
    public static void Print(object value) => StandardStreams.RawOutput.WriteLine(Of(value));

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "As above.")]
    private static JsonSerializerOptions Options() => new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // for terminals and files, not for web pages
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(), // a trimmed program has no resolver unless it names one
    };
}
