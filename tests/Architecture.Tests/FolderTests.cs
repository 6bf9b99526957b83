using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>
/// The top-level folders of a room are its namespaces, and dependencies between them have no cycle. Dependencies are read from using
/// directives.
/// </summary>
public sealed partial class FolderTests
{
    /// <summary>The files of a room that are in no folder.</summary>
    private const string Root = "";

    /// <summary>Each room with its namespace, lowest room first.</summary>
    private static readonly (string Room, string Space)[] Rooms =
        [("Compute", "ILGpuDiffusion.Compute"), ("Layers", "ILGpuDiffusion.Layers"), ("Pipelines", "ILGpuDiffusion.Pipelines"),
            ("Pipelines/Cli", "ILGpuDiffusion.Cli")];


    public static TheoryData<string> Names => [.. Rooms.Select(r => r.Room)];

    [Theory, MemberData(nameof(Names))]
    public void Namespace_OfAFile_IsItsTopFolder(string room)
    {
        string space = Rooms.Single(r => r.Room == room).Space;
        foreach (string file in Files(room))
        {
            string? line = File.ReadLines(file).FirstOrDefault(l => l.StartsWith("namespace ", StringComparison.Ordinal));
            if (Path.GetFileName(file) == "Program.cs" && line is null) continue;
            string expected = Folder(room, file) is { Length: > 0 } folder ? $"{space}.{folder}" : space;
            Assert.True(line == $"namespace {expected};", $"{file}: {line}; it must be namespace {expected}.");
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Folders_OfARoom_HaveNoCycle(string room)
    {
        var arrows = Arrows(room).ToList();
        Assert.True(arrows.Count > 0, $"{room}: no dependencies were found, so nothing was compared.");
        Assert.Equal("", Cycle(arrows));
    }

    /// <summary>What differs between backends is a property of the device.</summary>
    [Fact]
    public void Layers_Code_NamesNoBackend()
    {
        string[] naming = [.. Files("Layers").Where(file => File.ReadLines(file).Any(line =>
            !line.TrimStart().StartsWith("//", StringComparison.Ordinal)
            && (line.Contains("Backends.", StringComparison.Ordinal) || line.Contains(".Backend ", StringComparison.Ordinal))))];
        Assert.Empty(naming);
    }

    [Fact]
    public void Cycle_OfThreeFolders_NamesTheFilesOnIt()
    {
        Assert.Equal("", Cycle([("Kernels", "Devices", "A.cs"), ("Ops", "Kernels", "B.cs"), ("Ops", "Devices", "C.cs")]));
        Assert.Equal("Devices needs Kernels (A.cs); Kernels needs Ops (B.cs); Ops needs Devices (C.cs)",
            Cycle([("Devices", "Kernels", "A.cs"), ("Kernels", "Ops", "B.cs"), ("Ops", "Devices", "C.cs"), ("Ops", "Tensors", "D.cs")]));
    }

    /// <summary>The dependencies between folders, each with a file that has it.</summary>
    private static IEnumerable<(string From, string To, string File)> Arrows(string room)
    {
        string space = Rooms.Single(r => r.Room == room).Space;
        string[] files = [.. Files(room)];
        var named = new Regex($@"\b{Regex.Escape(space)}\.(\w+)");
        // Types of the root namespace need no using directive.
        HashSet<string> types = [.. files.Where(f => Folder(room, f) == Root)
            .SelectMany(f => Declared().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value))];
        foreach (string file in files)
        {
            string from = Folder(room, file);
            string code = string.Join('\n',
                File.ReadLines(file).Where(l =>
                    !l.StartsWith("namespace ", StringComparison.Ordinal) && !l.TrimStart().StartsWith("//", StringComparison.Ordinal)));
            foreach (string to in named.Matches(code).Select(m => m.Groups[1].Value).Where(to => to != from).Distinct())
                yield return (from, types.Contains(to) ? Root : to, Path.GetFileName(file));
            if (from != Root && Word().Matches(Literal().Replace(code, "")).FirstOrDefault(m => types.Contains(m.Value)) is { } type)
                yield return (from, Root, $"{Path.GetFileName(file)}, {type}");
        }
    }

    /// <summary>The first cycle; empty if there is none.</summary>
    private static string Cycle(IEnumerable<(string From, string To, string File)> arrows)
    {
        var next = arrows.GroupBy(a => a.From).ToDictionary(g => g.Key, g => g.DistinctBy(a => a.To).ToList());
        foreach (string start in next.Keys.Order(StringComparer.Ordinal))
            if (Follow(start, [], []) is { } found) return string.Join("; ", found.Select(a => $"{a.From} needs {a.To} ({a.File})"));
        return "";

        List<(string From, string To, string File)>? Follow(string at, List<(string From, string To, string File)> path,
            HashSet<string> seen)
        {
            foreach (var arrow in next.GetValueOrDefault(at, []))
            {
                List<(string From, string To, string File)> longer = [.. path, arrow];
                if (arrow.To == longer[0].From) return longer;
                if (seen.Add(arrow.To) && Follow(arrow.To, longer, seen) is { } found) return found;
            }

            return null;
        }
    }

    private static IEnumerable<string> Files(string room) =>
        Repository.Sources(room).Where(f => room == "Pipelines/Cli" || !f.Contains("/Pipelines/Cli/", StringComparison.Ordinal));

    private static string Folder(string room, string file) =>
        Path.GetRelativePath(Path.Combine(Repository.Root, room), file).Split('/') is { Length: > 1 } parts ? parts[0] : Root;

    [GeneratedRegex(@"^(?:public|internal)[^=(\n]*?\b(?:class|record struct|struct|record|interface|enum)\s+(\w+)", RegexOptions.Multiline)]
    private static partial Regex Declared();

    [GeneratedRegex(@"""[^""\n]*""")]
    private static partial Regex Literal();

    [GeneratedRegex(@"\b[A-Z]\w*")]
    private static partial Regex Word();
}
