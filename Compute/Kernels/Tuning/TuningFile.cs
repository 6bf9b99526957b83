using System.Text.Encodings.Web;
using System.Text.Json;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Contents of a tuning file: the device it was measured on, then one result per line.</summary>
/// <param name="Format">Always <see cref="FormatName"/>.</param>
/// <param name="Version">Always <see cref="FormatVersion"/>; other versions are not read.</param>
/// <param name="Backend">cpu, cuda or opencl.</param>
/// <param name="Architecture">Architecture of the device.</param>
/// <param name="Device">Its <see cref="Device.TuningName"/>.</param>
/// <param name="Entries">The results.</param>
internal sealed record TuningFile(string Format, int Version, string Backend, string Architecture, string Device,
    IReadOnlyList<TuningEntry> Entries)
{
    public const string FormatName = "ilgpudiffusion-tuning";

    public const int FormatVersion = 1;

    /// <summary>Maximum size of a file in bytes.</summary>
    public const int MostBytes = 1 << 24;

    private static readonly TuningJson Json = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // the file should be readable
        IgnoreReadOnlyProperties = true,
    });

    /// <summary>Reads a file's text.</summary>
    /// <exception cref="FormatException">It is no tuning table, or has another version; the message says what is wrong.</exception>
    public static TuningFile Parse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MostBytes) throw new FormatException($"it has {utf8.Length} bytes, where a table has at most {MostBytes}");
        TuningFile? file;
        try
        {
            file = JsonSerializer.Deserialize(utf8, Json.TuningFile);
        }
        catch (JsonException e)
        {
            throw new FormatException($"it is not the JSON of a tuning table: {e.Message}", e);
        }

        if (file?.Format != FormatName) throw new FormatException($"its format is '{file?.Format}', not '{FormatName}'");
        if (file.Version != FormatVersion)
            throw new FormatException($"its version is {file.Version}; this program reads version {FormatVersion}");
        return file.Entries is not null && file.Entries.All(e => e is { IsSound: true }) ? file
            : throw new FormatException("an entry lacks a value or has an invalid one");
    }

    /// <summary>The text of a file.</summary>
    public byte[] ToUtf8()
    {
        string head = JsonSerializer.Serialize(this with { Entries = [] }, Json.TuningFile);
        string[] lines = [.. Entries.Select(e => JsonSerializer.Serialize(e, Json.TuningEntry))];
        return System.Text.Encoding.UTF8.GetBytes($"{head[..^2]}\n{string.Join(",\n", lines)}\n]}}\n");
    }
}
