using System.Globalization;
using System.Text.Json;
using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Pipelines.Metadata;

public sealed partial record A1111Parameters
{
    private const string NegativeMark = "Negative prompt:", SettingsMark = "Steps:";

    /// <summary>
    /// Parses the text form. Settings without a property here, or without a usable value, are in <see cref="Extra"/>; nothing is rejected.
    /// </summary>
    /// <param name="text">As <see cref="Format"/> and other programs write it.</param>
    public static A1111Parameters Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        int settings = Array.FindLastIndex(lines, line => line.StartsWith(SettingsMark, StringComparison.Ordinal));
        string[] prompts = settings < 0 ? lines : lines[..settings];
        int negative = Array.FindIndex(prompts, line => line.StartsWith(NegativeMark, StringComparison.Ordinal));
        var read = new A1111Parameters(string.Join('\n', negative < 0 ? prompts : prompts[..negative]).TrimEnd('\n'))
        {
            NegativePrompt = negative < 0 ? null : string.Join('\n', prompts[negative..])[NegativeMark.Length..].Trim(),
        };
        var extra = new List<KeyValuePair<string, string>>();
        foreach (var (key, value) in settings < 0 ? [] : Settings(string.Join(' ', lines[settings..]))) read = read.With(key, value, extra);
        return read with { Extra = extra };
    }

    private A1111Parameters With(string key, string value, List<KeyValuePair<string, string>> extra)
    {
        var culture = CultureInfo.InvariantCulture;
        switch (key)
        {
            case "Steps" when int.TryParse(value, culture, out int steps): return this with { Steps = steps };
            case "Sampler": return this with { Sampler = value };
            case "CFG scale" when double.TryParse(value, culture, out double scale) && double.IsFinite(scale):
                return this
                with
                { CfgScale = scale };
            case "Seed" when Seed.TryParse(value, out var seed): return this with { Seed = seed };
            case "Size" when value.Split('x') is [var w, var h] && int.TryParse(w, culture, out int width)
                && int.TryParse(h, culture, out int height):
                return this with { Width = width, Height = height };
            case "Model": return this with { Model = value };
            default:
                extra.Add(new(key, value));
                return this;
        }
    }

    /// <summary>The pairs "key: value" between commas; a value in quotes is a JSON string.</summary>
    private static IEnumerable<(string Key, string Value)> Settings(string line)
    {
        for (int at = 0; at < line.Length;)
        {
            int colon = line.IndexOf(':', at);
            if (colon < 0) yield break;
            string key = line[at..colon].Trim();
            int start = colon + 1;
            while (start < line.Length && line[start] == ' ') start++;
            int end = start < line.Length && line[start] == '"' ? EndOfQuotes(line, start) : start;
            int comma = line.IndexOf(',', end);
            if (comma < 0) comma = line.Length;
            yield return (key, Unquoted(line[start..comma].Trim()));
            at = comma + 1;
        }
    }

    private static int EndOfQuotes(string line, int start)
    {
        for (int i = start + 1; i < line.Length; i++)
            if (line[i] == '\\') i++;
            else if (line[i] == '"') return i;
        return start;
    }

    private static string Unquoted(string value)
    {
        if (!value.StartsWith('"')) return value;
        try
        {
            return JsonDocument.Parse(value).RootElement is { ValueKind: JsonValueKind.String } text ? text.GetString()! : value;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return value;
        }
    }
}
