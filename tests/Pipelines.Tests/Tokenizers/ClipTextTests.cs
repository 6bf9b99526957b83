using System.Globalization;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Tests;

public class ClipTextTests
{
    [Theory]
    [InlineData("  A\tB\r\n C\u00A0D\u2003E\u2028F ", "a b c d e f")]
    [InlineData("a\0b\u200Bc\uFFFDd\uE000e", "abcde")]
    [InlineData("lone \uD800 half", "lone half")]
    [InlineData("日本go", "日 本 go")]
    [InlineData("ひらがな", "ひらがな")]
    [InlineData("Cafe\u0301", "café")]
    [InlineData("İ ẞ Ǆ 𐐀", "i\u0307 ß ǆ 𐐨")]
    [InlineData("ΟΔΟΣ ΣΑΣ. Σ ΑΣ' ΑΣ'Α", "οδος σας. σ ας' ασ'α")]
    public void Clean_OddText_GivesWhatTheReferenceGives(string text, string expected) => Assert.Equal(expected, ClipText.Clean(text));

    [Theory]
    [InlineData("it's they're i'll 'd 'x", "it|'s|they|'re|i|'ll|'d|'|x")]
    [InlineData("4k 1,000", "4|k|1|,|0|0|0")]
    [InlineData("a<|endoftext|>b <<|endoftext|>", "a§<|endoftext|>§b§<<|§endoftext§|>")]
    [InlineData("𝓯𝓪 ½ ... !?", "𝓯𝓪|½|...|!?")]
    [InlineData("e\u0301\u0327x", "e|\u0301\u0327|x")]
    [InlineData("'ſ", "'ſ")]
    [InlineData("", "")]
    public void Words_OddText_SplitsAsThePatternDoes(string clean, string expected)
    {
        char separator = expected.Contains('§', StringComparison.Ordinal) ? '§' : '|';
        Assert.Equal(expected.Split(separator, StringSplitOptions.RemoveEmptyEntries), ClipText.Words(clean));
    }

    [Fact]
    public void Normalize_RecordedMixes_GivesFormC()
    {
        string[] lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "nfc_cases.txt"));
        Assert.True(lines.Length > 200);
        foreach (string line in lines.Where(l => !l.StartsWith('#')))
        {
            string[] sides = line.Split("; ");
            Assert.True(Text(sides[1]) == CanonicalComposition.Normalize(Text(sides[0])), line);
            Assert.Equal(Text(sides[1]), CanonicalComposition.Normalize(Text(sides[1])));
        }
    }

    private static string Text(string hex) =>
        string.Concat(hex.Split(' ')
            .Select(point => char.ConvertFromUtf32(int.Parse(point, NumberStyles.HexNumber, CultureInfo.InvariantCulture))));
}
