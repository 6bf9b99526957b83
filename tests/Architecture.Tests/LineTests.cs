using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>
/// Lines of C# are no longer than max_line_length in .editorconfig, except for text that cannot be broken: raw and verbatim strings, and
/// long words.
/// </summary>
public sealed partial class LineTests
{
    private static readonly string[] Folders = ["Compute", "Layers", "Pipelines", "tests", "perf"];

    private static int Most => int.Parse(
        MaxLength().Match(File.ReadAllText(Path.Combine(Repository.Root, ".editorconfig"))).Groups[1].ValueSpan,
        System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public void Lines_OfAllSources_EndInTime()
    {
        int most = Most;
        string[] tooLong =
        [
            .. from file in Folders.SelectMany(Repository.Sources)
               from line in TooLong(File.ReadAllLines(file), most)
               select $"{Path.GetRelativePath(Repository.Root, file)}({line})",
        ];
        Assert.Equal([], tooLong);
    }

    [Fact]
    public void TooLong_LongLines_AreFoundExceptInRawStrings()
    {
        string wide = new('x', 150);
        string[] lines = [$"// {wide}", "string a = \"\"\"", wide, "\"\"\";", $"int {wide} = 1;", $"string b = @\"{wide}\";", "int c = 1;"];
        Assert.Equal([1, 5], TooLong(lines, 140));
    }

    /// <summary>The numbers of the lines that are too long, from 1.</summary>
    private static List<int> TooLong(string[] lines, int most)
    {
        var found = new List<int>();
        bool inside = false;
        for (int i = 0; i < lines.Length; i++)
        {
            int marks = RawString().Count(lines[i]);
            bool text = inside || marks > 0 || Unbreakable().IsMatch(lines[i]);
            if (lines[i].Length > most && !text) found.Add(i + 1);
            if (marks % 2 == 1) inside = !inside;
        }

        return found;
    }

    [GeneratedRegex(@"max_line_length = (\d+)")]
    private static partial Regex MaxLength();

    [GeneratedRegex("\"{3,}")]
    private static partial Regex RawString();

    /// <summary>A verbatim string, or a literal without a space in its first hundred characters.</summary>
    [GeneratedRegex("@\\$?\"|\\$@\"|\"[^\" ]{100,}\"")]
    private static partial Regex Unbreakable();
}
