using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>Families, tasks and sources are independent: outside its folder, nothing names a family but the catalogue's line.</summary>
public sealed partial class FamilyTests
{
    private const string Catalog = "FamilyCatalog.cs";

    public static TheoryData<string> Families =>
        [.. Directory.GetDirectories(Path.Combine(Repository.Root, "Pipelines", "Families")).Select(Path.GetFileName).OfType<string>()];

    [Theory, MemberData(nameof(Families))]
    public void Names_OfAFamily_StayInItsFolder(string family)
    {
        string own = Path.Combine(Repository.Root, "Pipelines", "Families", family) + "/";
        string[] words = [.. Repository.Sources("Pipelines").Where(file => file.StartsWith(own, StringComparison.Ordinal)).SelectMany(Words)
            .Distinct()];
        Assert.Contains(words, word => word.EndsWith("Family", StringComparison.Ordinal));
        Assert.Contains(words, word => word.EndsWith("Pipeline", StringComparison.Ordinal));
        var any = new Regex($@"\b({string.Join('|', words)})\b");
        string[] elsewhere = [.. Repository.Sources("Pipelines")
            .Where(file => !file.StartsWith(own, StringComparison.Ordinal))
            .SelectMany(file => Code(file).Where(line => any.IsMatch(line)).Select(line => $"{Path.GetFileName(file)}: {line.Trim()}"))];
        // the catalogue makes the family, on one line
        Assert.Equal($"{Catalog}: new {words.Single(word => word.EndsWith("Family", StringComparison.Ordinal))}(),",
            Assert.Single(elsewhere));
    }

    /// <summary>The types that a file declares, and the pipeline classes of diffusers that it names.</summary>
    private static IEnumerable<string> Words(string file) =>
        Code(file).SelectMany(line => Declared().Matches(line).Concat(PipelineClass().Matches(line)).Select(m => m.Groups[1].Value));

    private static IEnumerable<string> Code(string file) =>
        File.ReadLines(file).Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal));

    [GeneratedRegex(@"^\s*(?:public|internal|private)\b[^""=(]*\b(?:class|record|struct|interface|enum)\s+(\w+)")]
    private static partial Regex Declared();

    [GeneratedRegex(@"""(\w+Pipeline)""")]
    private static partial Regex PipelineClass();
}
