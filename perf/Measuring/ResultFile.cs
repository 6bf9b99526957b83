using System.Text.Json;
using System.Text.Json.Serialization;

namespace ILGpuDiffusion.Measuring;

/// <summary>Result files, which are written completely or not at all.</summary>
public static class ResultFile
{
    /// <summary>The JSON format of results.</summary>
    public static JsonSerializerOptions Json { get; } = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes a value as JSON.</summary>
    public static void Save<T>(string file, T value) => Save(file, JsonSerializer.Serialize(value, Json) + "\n");

    /// <summary>Writes text.</summary>
    public static void Save(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        string temporary = file + ".tmp";
        File.WriteAllText(temporary, text);
        File.Move(temporary, file, overwrite: true);
    }

    /// <summary>Reads a value from JSON.</summary>
    public static T Load<T>(string file) => JsonSerializer.Deserialize<T>(File.ReadAllText(file), Json)!;
}
