namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>
/// One row of a name map: names that begin with <paramref name="Original"/> begin with <paramref name="Diffusers"/> instead. Both are
/// whole parts of a dotted name; the empty prefix is every name's.
/// </summary>
/// <param name="Original">The prefix in the original naming.</param>
/// <param name="Diffusers">The prefix in diffusers' naming.</param>
/// <param name="Inner">Renames what follows the prefix; null keeps it.</param>
/// <param name="Form">How the model's tensor lies in the stored one.</param>
internal sealed record NameRule(string Original, string Diffusers, NameMap? Inner = null, TensorForm Form = TensorForm.Whole);

/// <summary>
/// The names of one component in an original naming and in diffusers', as a table of prefixes; the longest prefix that fits counts. Two
/// rules with the same original prefix are parts of one stored tensor.
/// </summary>
internal sealed class NameMap
{
    // Beyond every model's names; a file may give a name of megabytes, which has as many prefixes.
    private const int LongestName = 512;
    private readonly ILookup<string, NameRule> byOriginal;
    private readonly Dictionary<string, NameRule> byDiffusers;
    private readonly HashSet<string> unused;

    /// <summary>Makes a map.</summary>
    /// <param name="rules">The rows; diffusers' prefixes are unique.</param>
    /// <param name="unused">Original prefixes of what files hold and models do not use.</param>
    public NameMap(IEnumerable<NameRule> rules, params IEnumerable<string> unused)
    {
        NameRule[] all = [.. rules];
        byOriginal = all.ToLookup(rule => rule.Original, StringComparer.Ordinal);
        byDiffusers = all.ToDictionary(rule => rule.Diffusers, StringComparer.Ordinal);
        this.unused = new(unused, StringComparer.Ordinal);
    }

    /// <summary>Every name is the same in both.</summary>
    public static NameMap Same { get; } = new([new("", "")]);

    /// <summary>The model's tensors that a stored one holds; none where the map does not know it.</summary>
    public IReadOnlyList<(string Name, TensorForm Form)> ToDiffusers(string original)
    {
        foreach (var (prefix, rest) in Splits(original))
            if (byOriginal.Contains(prefix))
                return [.. byOriginal[prefix].SelectMany(rule => Below(rule, rest, (map, name) => map.ToDiffusers(name))
                    .Select(found => (Join(rule.Diffusers, found.Name), found.Form)))];
        return [];
    }

    /// <summary>The stored tensor that holds one of the model's; null where the map does not know it.</summary>
    public (string Name, TensorForm Form)? ToOriginal(string diffusers)
    {
        foreach (var (prefix, rest) in Splits(diffusers))
            if (byDiffusers.TryGetValue(prefix, out var rule))
                return Below(rule, rest, (map, name) => map.ToOriginal(name) is { } inner ? [inner] : []) is [var found, ..]
                    ? (Join(rule.Original, found.Name), found.Form) : null;
        return null;
    }

    /// <summary>Whether files hold this tensor without any model using it.</summary>
    public bool IsUnused(string original) => Splits(original).Any(split => unused.Contains(split.Prefix));

    private static IReadOnlyList<(string Name, TensorForm Form)> Below(NameRule rule, string rest,
        Func<NameMap, string, IReadOnlyList<(string Name, TensorForm Form)>> map) =>
        rule.Inner is null ? [(rest, rule.Form)]
            : [.. map(rule.Inner, rest).Select(inner => inner.Form == TensorForm.Whole ? (inner.Name, rule.Form) : inner)];

    /// <summary>Prefixes with what follows them, longest first; the empty one last. None of a name that no model has.</summary>
    private static IEnumerable<(string Prefix, string Tail)> Splits(string name)
    {
        if (name.Length > LongestName) yield break;
        yield return (name, "");
        for (int dot = name.LastIndexOf('.'); dot > 0; dot = name.LastIndexOf('.', dot - 1))
            yield return (name[..dot], name[(dot + 1)..]);
        yield return ("", name);
    }

    private static string Join(string prefix, string rest) => prefix.Length == 0 ? rest : rest.Length == 0 ? prefix : $"{prefix}.{rest}";
}
