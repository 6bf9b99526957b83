using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>The folders of a room's test project mirror those of the room.</summary>
public sealed partial class TestTreeTests
{
    /// <summary>Folders of test projects that no room has: stubs of drivers.</summary>
    private static readonly string[] Helpers = ["Compute/Devices/Gpu/Stub"];

    /// <summary>The rooms with a test project; the command line's tests are in that of Pipelines.</summary>
    public static TheoryData<string> Rooms => ["Compute", "Layers", "Pipelines"];

    [Theory, MemberData(nameof(Rooms))]
    public void Folder_OfATestProject_ExistsInItsRoom(string room)
    {
        string[] tests = [.. Repository.Sources(TestProject(room)).Select(f => Folder(TestProject(room), f)).Distinct()];
        Assert.True(tests.Length > 3, $"tests/{room}.Tests: only {tests.Length} folders were found.");
        string[] helpers = [.. Helpers.Where(h => h.StartsWith(room + '/', StringComparison.Ordinal)).Select(h => h[(room.Length + 1)..])];
        string[] unknown = Unknown(tests, [.. Repository.Sources(room).Select(f => Folder(room, f))], helpers);
        Assert.True(unknown.Length == 0, $"{room} has no folder {string.Join(", ", unknown)}, tests/{room}.Tests has.");
    }

    [Theory, MemberData(nameof(Rooms))]
    public void TestClass_NamedAfterAType_LiesInTheTypesFolder(string room)
    {
        var types = Types(room).ToLookup(t => t.Name, t => t.Folder);
        var classes = Types(TestProject(room)).ToList();
        Assert.Contains(classes, c => types.Contains(Subject(c.Name)));
        string[] misplaced = Misplaced(classes, types);
        Assert.True(misplaced.Length == 0, string.Join("; ", misplaced));
    }

    [Fact]
    public void Unknown_FolderThatNoRoomHas_IsNamed() =>
        Assert.Equal(["Gpu", "Ops/Copy"],
            Unknown(["", "Ops", "Ops/Copy", "Ops/Cast", "Gpu", "Devices/Stub"], ["", "Ops/Cast", "Devices/Gpu"], ["Devices/Stub"]));

    [Fact]
    public void Misplaced_ClassAwayFromItsType_IsNamedWithTheRightFolder() =>
        Assert.Equal(["DimTests is in Graphs, Dim in Tensors"], Misplaced(
            [("DimTests", "Graphs"), ("CastTests", "Ops/Cast"), ("WholeRunTests", "")],
            new[] { ("Dim", "Tensors"), ("Cast", "Ops/Cast") }.ToLookup(t => t.Item1, t => t.Item2)));

    /// <summary>Folders of tests that are neither a folder of sources, nor a parent of one, nor one of helpers.</summary>
    private static string[] Unknown(IEnumerable<string> tests, string[] sources, string[] helpers) =>
        [.. tests.Where(t => t.Length > 0 && !helpers.Contains(t))
            .Where(t => !sources.Any(s => $"{s}/".StartsWith($"{t}/", StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal)];

    private static string[] Misplaced(IEnumerable<(string Name, string Folder)> classes, ILookup<string, string> types) =>
        [.. classes.Where(c => types.Contains(Subject(c.Name)) && !types[Subject(c.Name)].Contains(c.Folder))
            .Select(c => $"{c.Name} is in {c.Folder}, {Subject(c.Name)} in {string.Join(" or ", types[Subject(c.Name)].Distinct())}")];

    /// <summary>The type that a test class is named after; empty for other classes.</summary>
    private static string Subject(string name) => name.EndsWith("Tests", StringComparison.Ordinal) ? name[..^"Tests".Length] : "";

    private static IEnumerable<(string Name, string Folder)> Types(string root) =>
        Repository.Sources(root).SelectMany(f => Declared().Matches(File.ReadAllText(f)).Select(m => (m.Groups[1].Value, Folder(root, f))));

    private static string TestProject(string room) => $"tests/{room}.Tests";

    private static string Folder(string root, string file) =>
        Path.GetDirectoryName(Path.GetRelativePath(Path.Combine(Repository.Root, root), file))!;

    [GeneratedRegex(@"^(?:public|internal)[^=(\n]*?\b(?:class|record struct|struct|record|interface|enum)\s+(\w+)", RegexOptions.Multiline)]
    private static partial Regex Declared();
}
