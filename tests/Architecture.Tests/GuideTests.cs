using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>Links in the guides lead to existing files, and code that they name exists.</summary>
public sealed partial class GuideTests
{
    private static readonly Lazy<HashSet<string>> Words = new(() =>
        [.. new[] { "Compute", "Layers", "Pipelines", "tests", "perf" }.SelectMany(Repository.Sources)
            .Append(Path.Combine(Repository.Root, "Directory.Packages.props")) // guides name packages too
            .SelectMany(f => Word().Matches(File.ReadAllText(f)).Select(m => m.Value))]);

    public static TheoryData<string> Pages =>
        [.. Guides, "README.md", "perf/README.md", "Pipelines/Cli/README.md", "Pipelines/DIFFUSERS.md"];

    public static TheoryData<string> Guides =>
        [.. new[] { "CONTRIBUTING.md", "Compute/README.md", "Layers/README.md",
            "Pipelines/README.md" }.Where(p => File.Exists(Path.Combine(Repository.Root, p)))];

    [Theory, MemberData(nameof(Pages))]
    public void Links_OfAPage_LeadToFiles(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;
        string[] links = [.. Link().Matches(Text(page)).Select(m => m.Groups[1].Value)
            .Where(l => !l.Contains("://", StringComparison.Ordinal))];
        Assert.All(links, link => Assert.True(Path.Exists(Path.Combine(folder, link)), $"{page} links to {link}, which does not exist."));
    }

    [Theory, MemberData(nameof(Guides))]
    public void Names_InAGuide_AreOfCodeOrFiles(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;
        string[] spans = [.. Span().Matches(Text(page)).Select(m => m.Groups[1].Value)];
        Assert.NotEmpty(spans);
        string[] unknown = [.. spans.Where(s => Identifier().IsMatch(s) && s.Any(char.IsLower)).SelectMany(s => s.Split('.'))
            .Where(w => !Words.Value.Contains(w))];
        string[] absent = [.. spans.Where(s =>
            FilePath().IsMatch(s) && !Path.Exists(Path.Combine(folder, s)) && !Path.Exists(Path.Combine(Repository.Root, s)))];
        Assert.Equal([], unknown);
        Assert.Equal([], absent);
    }

    private static string Text(string page) => File.ReadAllText(Path.Combine(Repository.Root, page));

    [GeneratedRegex(@"\[[^\]]*\]\(([^)\s#]+)[^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Span();

    [GeneratedRegex(@"^[A-Z][A-Za-z0-9]*(\.[A-Z]\w*)*$")]
    private static partial Regex Identifier();

    /// <summary>A path from the repository's root, or from the page's folder to a folder or a C# file.</summary>
    [GeneratedRegex(@"^((Compute|Layers|Pipelines|tests|perf|\.ci)/[\w./\-]*|[A-Z]\w*/([\w\-]+/)*([\w.\-]+\.cs)?)$")]
    private static partial Regex FilePath();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();
}
