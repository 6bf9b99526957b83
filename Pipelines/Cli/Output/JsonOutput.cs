using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>JSON output.</summary>
internal static class JsonOutput
{
    private static readonly JsonSerializerOptions Indented = Options();

    /// <summary>
    /// A value as indented JSON, with names in snake case. Invisible characters, such as those that change the direction of writing, can
    /// only be in strings, where an escape is equivalent.
    /// </summary>
    /// <param name="value">Of an anonymous type, or one of the rooms' public records: the trimmed tool keeps all members of both.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2026",
        Justification = "ilgd and the rooms whose records it writes are roots of the trimmed tool (see its project file); a test run of it "
            + "compares its " +
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
