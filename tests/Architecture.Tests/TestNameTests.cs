using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>
/// Names of test methods have three parts, <c>Method_State_Result</c>, and are shorter than 100 characters. Test classes that scripts
/// name exist.
/// </summary>
public sealed partial class TestNameTests
{
    private const int MostCharacters = 99;

    [Fact]
    public void Names_OfAllTests_HaveThreeParts()
    {
        string[] wrong =
        [
            .. from file in Repository.Sources("tests")
               from name in Wrong(File.ReadLines(file))
               select $"{Path.GetRelativePath(Repository.Root, file)}: {name}",
        ];
        Assert.Equal([], wrong);
        Assert.Contains(nameof(Names_OfAllTests_HaveThreeParts), Repository.Sources("tests").SelectMany(f => Names(File.ReadLines(f))));
    }

    [Fact]
    public void Wrong_PlantedNames_AreFound()
    {
        string tooLong = $"Run_{new string('A', 50)}_{new string('B', 50)}";
        string[] lines =
        [
            "    [Fact]", "    public void Run_Works()", "    [Theory, MemberData(nameof(Rows))]", "    [InlineData(\"[a]\")]",
            "    public async Task Run_Empty_Gives_Nothing(string text)", "    [RequiresGpuFact(Timeout = 5)]", "    public void Runs() =>",
            "    [SkippableTheory]", $"    internal static async Task {tooLong}<T>(T value)",
            "    [Fact, UnsupportedOSPlatform(\"windows\")]", "    public void Run_empty_Throws()", "    [Fact]",
            "    public ValueTask Run_Empty_Throws()", "    public void Helper_Of()",
        ];
        Assert.Equal(["Run_Works", "Run_Empty_Gives_Nothing", "Runs", tooLong, "Run_empty_Throws"], Wrong(lines));
        Assert.Equal("Run_Empty_Throws", Names(lines).Last());
    }

    /// <summary>A test runner that is given the name of no class runs nothing and succeeds.</summary>
    [Fact]
    public void Classes_NamedInScripts_Exist()
    {
        string[] scripts = [.. Directory.GetFiles(Path.Combine(Repository.Root, ".ci")),
            .. Directory.GetFiles(Path.Combine(Repository.Root, "perf"), "*.sh"), Path.Combine(Repository.Root, "CONTRIBUTING.md")];
        string[] named = [.. scripts.SelectMany(script => TestClass().Matches(File.ReadAllText(script))).Select(m => m.Value).Distinct()];
        string[] files = [.. Repository.Sources("tests").Select(Path.GetFileNameWithoutExtension).OfType<string>()];
        Assert.NotEmpty(named);
        Assert.Equal([], named.Where(name => !files.Any(file => file.EndsWith(name, StringComparison.Ordinal))));
    }

    private static IEnumerable<string> Wrong(IEnumerable<string> lines) =>
        Names(lines).Where(name => name.Length > MostCharacters || !ThreeParts().IsMatch(name));

    /// <summary>Names of the methods that follow an attribute whose name ends in Fact or Theory.</summary>
    private static IEnumerable<string> Names(IEnumerable<string> lines)
    {
        bool isTest = false;
        foreach (string line in lines)
        {
            isTest |= TestAttribute().IsMatch(line);
            if (!isTest || Method().Match(line) is not { Success: true } method) continue;
            isTest = false;
            yield return method.Groups["name"].Value;
        }
    }

    [GeneratedRegex(@"^\s*\[([^\]]*, )?\w*(Fact|Theory)(Attribute)?[,(\]]")]
    private static partial Regex TestAttribute();

    [GeneratedRegex(@"^\s*(public|internal|private|protected)\b.*? (?<name>\w+)(<[^>]*>)?\(")]
    private static partial Regex Method();

    [GeneratedRegex(@"\b[A-Z]\w*(Tests|Dump)\b")]
    private static partial Regex TestClass();

    [GeneratedRegex("^[A-Z][A-Za-z0-9]*(_[A-Z0-9][A-Za-z0-9]*){2}$")]
    private static partial Regex ThreeParts();
}
