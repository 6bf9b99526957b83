using System.Globalization;
using System.Text;

namespace ILGpuDiffusion.Compute.Files;

/// <summary>
/// Sanitises external text (names in files, paths, messages of drivers and other libraries) for messages, logs and images: bounds its
/// length, and escapes what a terminal or a log would interpret. Control characters, invisible format characters (such as those that
/// reverse the text direction), line separators and unpaired surrogates become <c>\uXXXX</c>.
/// </summary>
public static class OutsideText
{
    private const int LongestName = 120, LongestLine = 2000, MostLines = 12;
    private const string Continuation = "\n  ";

    /// <summary>A name in single quotes, on one line; names longer than 120 characters are cut and end with '…'.</summary>
    public static string Quote(string text) => $"'{Visible(text, LongestName, keepBreaks: false)}'";

    /// <summary>The first names of a longer list, quoted, and how many more there are.</summary>
    public static string List(IReadOnlyCollection<string> names, int most = 5)
    {
        ArgumentNullException.ThrowIfNull(names);
        return string.Join(", ", names.Take(most).Select(Quote)) + (names.Count > most ? $" and {names.Count - most} more" : "");
    }

    /// <summary>A text on one line, without quotes: line breaks become <c>\u000a</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="longest">Maximum number of characters; longer text is cut and ends with '…'.</param>
    public static string Line(string text, int longest = LongestLine) => Visible(text, longest, keepBreaks: false);

    /// <summary>
    /// A message that may have several lines: from the second on they are indented, so that none can pass for a separate message; at most
    /// 12 lines and 2000 characters.
    /// </summary>
    public static string Message(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string cut = text.Length <= LongestLine ? text : Cut(text, LongestLine) + "…";
        string[] lines = cut.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n', MostLines + 1);
        string kept = string.Join(Continuation, lines.Take(MostLines)) + (lines.Length > MostLines ? $"{Continuation}…" : "");
        return Visible(kept, int.MaxValue, keepBreaks: true);
    }

    /// <summary>The text with invisible characters escaped; length, line feeds and tabs are kept.</summary>
    public static string Visible(string text) => Visible(text, int.MaxValue, keepBreaks: true);

    private static string Visible(string text, int longest, bool keepBreaks)
    {
        ArgumentNullException.ThrowIfNull(text);
        var rest = (text.Length > longest ? Cut(text, longest) : text).AsSpan();
        StringBuilder? shown = null;
        for (int at = 0; at < rest.Length;)
        {
            bool whole = Rune.DecodeFromUtf16(rest[at..], out var rune, out int length) == System.Buffers.OperationStatus.Done;
            if (whole && (IsVisible(rune) || (keepBreaks && rune.Value is '\n' or '\t'))) shown?.Append(rest.Slice(at, length));
            else
            {
                shown ??= new StringBuilder().Append(rest[..at]);
                foreach (char c in rest.Slice(at, length)) shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            }

            at += length;
        }

        return (shown?.ToString() ?? rest.ToString()) + (text.Length > longest ? "…" : "");
    }

    private static bool IsVisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate);

    /// <summary>The first <paramref name="length"/> characters, without splitting a surrogate pair.</summary>
    private static string Cut(string text, int length) => text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
}
