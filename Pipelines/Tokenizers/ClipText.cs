using System.Globalization;
using System.Text;

namespace ILGpuDiffusion.Pipelines.Tokenizers;

/// <summary>
/// Preprocessing of CLIP's tokenizer before byte-pair encoding: cleaning, lower case, and splitting into words. It behaves as transformers'
/// slow CLIPTokenizer without ftfy; <see cref="ClipTokenizer"/> describes how others differ.
/// </summary>
internal static class ClipText
{
    /// <summary>
    /// The two markers that the splitting pattern keeps whole, case-insensitively, whatever the configuration calls its special tokens.
    /// </summary>
    public static readonly string[] Markers = ["<|startoftext|>", "<|endoftext|>"];

    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    /// <summary>
    /// Drops control, format, private-use and unassigned characters, surrounds ideographs with spaces, composes (form C), lower-cases, and
    /// leaves one space between words, none at the ends.
    /// </summary>
    public static string Clean(string text)
    {
        var kept = new StringBuilder(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (IsSpace(rune)) kept.Append(' ');
            else if (IsDropped(rune)) continue;
            else if (IsIdeograph(rune.Value)) kept.Append(' ').Append(rune.ToString()).Append(' ');
            else kept.Append(rune.ToString());
        }

        string composed = CanonicalComposition.Normalize(kept.ToString());
        return string.Join(' ', Lower(composed).Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>
    /// Splits clean text into the first that matches at each place: a marker, a contraction's end ('s, 're …), a run of letters, one digit,
    /// or a run of other signs.
    /// </summary>
    public static List<string> Words(string clean)
    {
        var words = new List<string>();
        for (int i = 0; i < clean.Length;)
        {
            int length = clean[i] == ' ' ? 0 : WordLength(clean.AsSpan(i));
            if (length > 0) words.Add(clean.Substring(i, length));
            i += Math.Max(length, 1);
        }

        return words;
    }

    private static int WordLength(ReadOnlySpan<char> rest)
    {
        foreach (string whole in Markers)
            if (StartsWith(rest, whole)) return whole.Length;
        foreach (string end in Contractions)
            if (StartsWith(rest, end)) return end.Length;

        var kind = KindOf(rest, out int length);
        if (kind == Kind.Number) return length;
        while (length < rest.Length && rest[length] != ' ' && KindOf(rest[length..], out int next) == kind) length += next;
        return length;
    }

    // The pattern ignores case: after lower-casing, only the long s (U+017F) still equals another letter.
    private static bool StartsWith(ReadOnlySpan<char> text, string pattern)
    {
        if (text.Length < pattern.Length) return false;
        for (int i = 0; i < pattern.Length; i++)
            if (text[i] != pattern[i] && !(text[i] == 'ſ' && pattern[i] == 's')) return false;
        return true;
    }

    private enum Kind
    {
        Letter,
        Number,
        Sign,
    }

    private static Kind KindOf(ReadOnlySpan<char> text, out int length)
    {
        Rune.DecodeFromUtf16(text, out Rune rune, out length);
        return Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Kind.Sign,
        };
    }

    private static bool IsSpace(Rune rune) => rune.Value is '\t' or '\n' or '\r' || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static bool IsDropped(Rune rune) => rune.Value == 0xFFFD || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned;

    private static bool IsIdeograph(int point) => point
        is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F)
        or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B820 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    // .NET maps one character to one; Unicode's full lower case adds two rules to that: İ becomes i with a dot above,
    // and a capital sigma at the end of a word becomes ς.
    private static string Lower(string text)
    {
        var lower = new StringBuilder(text.Length);
        Rune[] runes = [.. text.EnumerateRunes()];
        for (int i = 0; i < runes.Length; i++)
        {
            if (runes[i].Value == 'İ') lower.Append("i\u0307");
            else if (runes[i].Value == 'Σ' && NextCased(runes, i, -1) && !NextCased(runes, i, 1)) lower.Append('ς');
            else lower.Append(Rune.ToLowerInvariant(runes[i]).ToString());
        }

        return lower.ToString();
    }

    private static bool NextCased(Rune[] runes, int from, int step)
    {
        for (int i = from + step; i >= 0 && i < runes.Length; i += step)
        {
            var category = Rune.GetUnicodeCategory(runes[i]);
            bool ignorable = category is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
                or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol
                    || runes[i].Value is '\'' or '.' or ':' or '·' or '‘' or '’' or '․' or '‧';
            if (!ignorable)
                return category is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;
        }

        return false;
    }
}
