using System.Text;

namespace ILGpuDiffusion.Layers;

/// <summary>Puts names from files into messages: short, on one line, without control characters.</summary>
internal static class Text
{
    private const int Longest = 120;

    /// <summary>The text in single quotes; what could break a terminal or a log line becomes <c>\uXXXX</c>, what is too long is cut.</summary>
    public static string Quote(string text)
    {
        var builder = new StringBuilder("'");
        foreach (char c in text.Length > Longest ? text.AsSpan(0, Longest) : text)
            if (char.IsControl(c) || char.IsSurrogate(c) || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.Format) builder.Append($"\\u{(int)c:x4}");
            else builder.Append(c);
        return builder.Append(text.Length > Longest ? "…'" : "'").ToString();
    }

    /// <summary>The first names of a longer list, quoted, and how many more there are.</summary>
    public static string List(IReadOnlyCollection<string> names, int most = 5) =>
        string.Join(", ", names.Take(most).Select(Quote)) + (names.Count > most ? $" and {names.Count - most} more" : "");
}
