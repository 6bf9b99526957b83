using System.Collections.Concurrent;

namespace ILGpuDiffusion.Equivalence;

/// <summary>
/// Compares two folders of kernel texts: a folder for each target with texts (.ptx, .cl) and lists of launches (.launches: call, text, groups, arguments), and lists of op results
/// (.results: call, hash). Calls find each other by name; of each, the launches must be as many, with equal texts, groups and arguments.
/// </summary>
internal static class TextComparison
{
    private const int MostShown = 40;
    private static readonly string[] Lists = ["*.launches", "*.results"];

    /// <summary>Prints counts and differences.</summary>
    /// <returns>0 where all of the old folder is in the new one and equal, else 1.</returns>
    public static int Run(string old, string @new)
    {
        string[] lists = [.. Lists.SelectMany(kind => Directory.GetFiles(old, kind, SearchOption.AllDirectories)).Select(f => Path.GetRelativePath(old, f)).Order(StringComparer.Ordinal)];
        if (lists.Length == 0) throw new DirectoryNotFoundException($"{old} has no .launches files; perf/run.sh texts writes them.");
        var texts = new TextPairs(old, @new);
        var problems = new List<string>();
        int calls = 0, launches = 0, more = 0;
        foreach (string list in lists)
        {
            string other = Path.Combine(@new, list);
            if (!File.Exists(other))
            {
                problems.Add($"{list}: absent in the new folder");
                continue;
            }

            var (mine, theirs) = (Read(Path.Combine(old, list)), Read(other));
            more += theirs.Keys.Count(call => !mine.ContainsKey(call));
            foreach (var (call, rows) in mine)
            {
                calls++;
                launches += rows.Length;
                string name = Path.Combine(Path.GetDirectoryName(list)!, call);
                if (!theirs.TryGetValue(call, out string[][]? otherRows)) problems.Add($"{name}: absent in the new folder");
                else if (rows.Length != otherRows.Length) problems.Add($"{name}: {rows.Length} launches, now {otherRows.Length}");
                else problems.AddRange(rows.Zip(otherRows).Select((pair, i) => Difference(texts, Path.GetDirectoryName(list)!, pair.First, pair.Second) is { } found ? $"{name}, launch {i + 1}: {found}" : null).OfType<string>());
            }
        }

        Console.WriteLine($"{lists.Length} lists with {calls} calls, {launches} launches and results; {more} calls are only in the new folder.");
        Console.WriteLine($"{texts.Compared} texts compared, {texts.Equal} equal, {texts.Compared - texts.Equal} different.");
        foreach (string line in texts.Differences.Take(MostShown)) Console.WriteLine($"  {line}");
        Console.WriteLine($"{problems.Count} calls differ{(problems.Count > MostShown ? $", of which {MostShown} are shown" : "")}.");
        foreach (string line in problems.Take(MostShown)) Console.WriteLine($"  {line}");
        return problems.Count == 0 ? 0 : 1;
    }

    private static string? Difference(TextPairs texts, string target, string[] old, string[] @new)
    {
        if (old.Length == 1) return old.SequenceEqual(@new) ? null : $"result {old[0]}, now {@new[0]}";
        if (texts.Difference(Path.Combine(target, old[0]), Path.Combine(target, @new[0])) is not null) return $"text {old[0]} differs from {@new[0]}";
        return old[1] != @new[1] ? $"groups {old[1]}, now {@new[1]}" : old[2] != @new[2] ? $"arguments {old[2]}, now {@new[2]}" : null;
    }

    private static Dictionary<string, string[][]> Read(string file) =>
        File.ReadLines(file).Select(line => line.Split('\t')).GroupBy(row => row[0], row => row[1..]).ToDictionary(g => g.Key, g => g.ToArray());
}

/// <summary>Texts of two folders, each pair compared once.</summary>
internal sealed class TextPairs(string old, string @new)
{
    private readonly Dictionary<(string, string), string?> pairs = [];
    private readonly ConcurrentDictionary<string, string[]> lines = new();

    /// <summary>Pairs of texts so far.</summary>
    public int Compared => pairs.Count;

    /// <summary>How many of them are equal.</summary>
    public int Equal => pairs.Values.Count(difference => difference is null);

    /// <summary>The others, with the first line that differs.</summary>
    public IEnumerable<string> Differences => pairs.Where(p => p.Value is not null).Select(p => $"{p.Key.Item1} and {p.Key.Item2}: {p.Value}");

    /// <summary>How two texts differ; null where they do not.</summary>
    public string? Difference(string first, string second)
    {
        if (pairs.TryGetValue((first, second), out string? known)) return known;
        return pairs[(first, second)] = Difference(Lines(Path.Combine(old, first)), Lines(Path.Combine(@new, second)));
    }

    /// <summary>How normalised texts differ.</summary>
    public static string? Difference(string[] first, string[] second)
    {
        int at = first.Zip(second).TakeWhile(pair => pair.First == pair.Second).Count();
        static string Line(string[] lines, int i) => i < lines.Length ? $"'{lines[i]}'" : "nothing more";
        return at == first.Length && at == second.Length ? null : $"line {at + 1} is {Line(first, at)}, now {Line(second, at)}";
    }

    private string[] Lines(string file) => lines.GetOrAdd(file, f => KernelText.Normalise(File.ReadAllText(f)));
}
