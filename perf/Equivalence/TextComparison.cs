using System.Collections.Concurrent;

namespace ILGpuDiffusion.Equivalence;

/// <summary>
/// Compares two folders of kernel texts: a folder for each target with texts (.ptx, .cl) and lists of launches (.launches: call, text,
/// groups, arguments), and lists of op results (.results: call, hash). Calls are matched by name and must have the same number of launches,
/// with equal texts, groups and arguments.
/// </summary>
internal static class TextComparison
{
    private const int MostShown = 40;
    private static readonly string[] Lists = ["*.launches", "*.results"];

    /// <summary>Prints counts and differences.</summary>
    /// <returns>0 if everything in the old folder is in the new one and equal, else 1.</returns>
    public static int Run(string old, string @new)
    {
        var (mine, theirs) = (Read(old), Read(@new));
        if (mine.Count == 0) throw new DirectoryNotFoundException($"{old} has no .launches files; perf/run.sh texts writes them.");
        var texts = new TextPairs(old, @new);
        var (problems, renamed) = (new List<string>(), new List<string>());
        int calls = 0, launches = 0, more = 0;
        foreach (var (scope, ops) in mine)
        {
            if (!theirs.TryGetValue(scope, out var otherOps)) problems.Add($"{scope}: absent in the new folder");
            else
            {
                foreach (var (op, otherOp) in Pair(ops, otherOps, o => o.Count, $"{scope}: ", problems, renamed, ref more))
                {
                    foreach (var (call, otherCall) in Pair(ops[op], otherOps[otherOp], _ => 0, $"{scope}: {op}: ", problems, renamed,
                        ref more))
                    {
                        var (rows, otherRows) = (ops[op][call], otherOps[otherOp][otherCall]);
                        string name = $"{scope}: {op}: {call}";
                        calls++;
                        launches += rows.Count;
                        if (rows.Count != otherRows.Count) problems.Add($"{name}: {rows.Count} launches, now {otherRows.Count}");
                        else problems.AddRange(rows.Zip(otherRows)
                            .Select((pair, i) => Difference(texts, scope, pair.First, pair.Second) is { } found
                                ? $"{name}, launch {i + 1}: {found}" : null).OfType<string>());
                    }
                }
            }
        }

        Console.WriteLine($"{calls} calls with {launches} launches and results; {more} ops and calls are only in the new folder.");
        Show($"{renamed.Count} ops and calls have other names and are paired by position", renamed);
        Show($"{texts.Compared} texts compared, {texts.Equal} equal, {texts.Compared - texts.Equal} different", [.. texts.Differences]);
        Show($"{problems.Count} calls differ or are absent", problems);
        return problems.Count == 0 ? 0 : 1;
    }

    private static void Show(string title, List<string> lines)
    {
        Console.WriteLine($"{title}{(lines.Count > MostShown ? $"; the first {MostShown}" : "")}.");
        foreach (string line in lines.Take(MostShown)) Console.WriteLine($"  {line}");
    }

    // By name. The rest is paired by position if both sides have as many and their sizes agree, because display names change, too.
    private static List<(string Old, string New)> Pair<T>(Dictionary<string, T> old, Dictionary<string, T> @new, Func<T, int> size,
        string scope, List<string> problems, List<string> renamed, ref int more)
    {
        string[] gone = [.. old.Keys.Where(k => !@new.ContainsKey(k))], come = [.. @new.Keys.Where(k => !old.ContainsKey(k))];
        var pairs = old.Keys.Where(@new.ContainsKey).Select(k => (k, k)).ToList();
        if (gone.Length == come.Length && gone.Zip(come).All(p => size(old[p.First]) == size(@new[p.Second])))
        {
            pairs.AddRange(gone.Zip(come));
            renamed.AddRange(gone.Zip(come, (o, n) => $"{scope}{o}: now {n}"));
        }
        else
        {
            problems.AddRange(gone.Select(k => $"{scope}{k}: absent in the new folder"));
            more += come.Length;
        }

        return pairs;
    }

    private static string? Difference(TextPairs texts, string target, string[] old, string[] @new)
    {
        if (old.Length == 1) return old.SequenceEqual(@new) ? null : $"result {old[0]}, now {@new[0]}";
        if (texts.Difference(Path.Combine(target, old[0]), Path.Combine(target, @new[0])) is not null)
            return $"text {old[0]} differs from {@new[0]}";
        return old[1] != @new[1] ? $"groups {old[1]}, now {@new[1]}" : old[2] != @new[2] ? $"arguments {old[2]}, now {@new[2]}" : null;
    }

    // Target (for results: file), op, call, and each of its launches.
    private static Dictionary<string, Dictionary<string, Dictionary<string, List<string[]>>>> Read(string folder)
    {
        var all = new Dictionary<string, Dictionary<string, Dictionary<string, List<string[]>>>>();
        foreach (string file in Lists.SelectMany(kind => Directory.GetFiles(folder, kind, SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal))
        {
            string list = Path.GetRelativePath(folder, file);
            var ops = Of(all, Path.GetExtension(list) == ".results" ? list : Path.GetDirectoryName(list)!);
            foreach (string[] row in File.ReadLines(file).Select(line => line.Split('\t')))
            {
                string[] name = row[0].Split(": ", 2);
                Of(Of(ops, name[0]), name[1]).Add(row[1..]);
            }
        }

        return all;
    }

    private static T Of<T>(Dictionary<string, T> all, string key) where T : new() =>
        all.TryGetValue(key, out var found) ? found : all[key] = new T();
}

/// <summary>Texts of two folders, each pair compared once.</summary>
internal sealed class TextPairs(string old, string @new)
{
    private readonly Dictionary<(string, string), string?> pairs = [];
    private readonly ConcurrentDictionary<string, string[]> lines = new();

    /// <summary>Number of compared pairs.</summary>
    public int Compared => pairs.Count;

    /// <summary>Number of equal pairs.</summary>
    public int Equal => pairs.Values.Count(difference => difference is null);

    /// <summary>The different pairs, with the first line that differs.</summary>
    public IEnumerable<string> Differences =>
        pairs.Where(p => p.Value is not null).Select(p => $"{p.Key.Item1} and {p.Key.Item2}: {p.Value}");

    /// <summary>The first difference of two texts; null if they are equal.</summary>
    public string? Difference(string first, string second)
    {
        if (pairs.TryGetValue((first, second), out string? known)) return known;
        return pairs[(first, second)] = Difference(Lines(Path.Combine(old, first)), Lines(Path.Combine(@new, second)));
    }

    /// <summary>The first difference of two normalised texts.</summary>
    public static string? Difference(string[] first, string[] second)
    {
        int at = first.Zip(second).TakeWhile(pair => pair.First == pair.Second).Count();
        static string Line(string[] lines, int i) => i < lines.Length ? $"'{lines[i]}'" : "nothing more";
        return at == first.Length && at == second.Length ? null : $"line {at + 1} is {Line(first, at)}, now {Line(second, at)}";
    }

    private string[] Lines(string file) => lines.GetOrAdd(file, f => KernelText.Normalise(File.ReadAllText(f)));
}
