using System.Globalization;
using System.Text.Json;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// Python's json module writes numbers that are not JSON, and published scheduler configurations contain them
/// (<c>"lambda_min_clipped": -Infinity</c>), so they are put in quotes before parsing.
/// </summary>
internal static class PythonNumbers
{
    /// <summary>The text with every bare NaN, Infinity and -Infinity in quotes; the text itself when there is none.</summary>
    public static ReadOnlySpan<byte> Quote(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf("Infinity"u8) < 0 && json.IndexOf("NaN"u8) < 0) return json;
        var result = new List<byte>(json.Length + 16);
        bool inString = false;
        for (int i = 0; i < json.Length; i++)
        {
            int word = inString ? 0 : Word(json[i..]);
            if (word > 0)
            {
                result.Add((byte)'"');
                result.AddRange(json.Slice(i, word));
                result.Add((byte)'"');
                i += word - 1;
                continue;
            }

            if (json[i] == '"') inString = !inString;
            result.Add(json[i]);
            if (inString && json[i] == '\\' && i + 1 < json.Length) result.Add(json[++i]);
        }

        return result.ToArray();
    }

    /// <summary>True when the JSON string is the name under which Python writes this infinity or NaN.</summary>
    public static bool IsName(JsonElement text, double value) =>
        !double.IsFinite(value) && text.ValueEquals(value.ToString(CultureInfo.InvariantCulture));

    private static int Word(ReadOnlySpan<byte> at) =>
        at.StartsWith("-Infinity"u8) ? 9 : at.StartsWith("Infinity"u8) ? 8 : at.StartsWith("NaN"u8) ? 3 : 0;
}
