using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Equivalence;

/// <summary>
/// The text of a kernel without the names that it declares: its entry, parameters, arrays in shared memory, and in OpenCL C the names in
/// our functions and macros. Each is replaced by the order of its first appearance. All else stays: instructions, types, built-in
/// functions, numbers, registers and variables, which ILGPU numbers identically for equal code.
/// </summary>
internal static partial class KernelText
{
    /// <summary>The normalised lines, without comments, blank lines and spacing.</summary>
    public static string[] Normalise(string text)
    {
        var names = Names(text);
        var numbers = new Dictionary<string, string>(StringComparer.Ordinal);
        return [.. Lines(text).Select(line => Word().Replace(line, word =>
            !names.Contains(word.Value) ? word.Value : numbers.TryGetValue(word.Value, out string? number) ? number
                : numbers[word.Value] = $"#{numbers.Count}"))];
    }

    /// <summary>The names that the text declares.</summary>
    public static HashSet<string> Names(string text) =>
        [.. (IsPtx(text) ? PtxName() : ClName()).Matches(text).SelectMany(m => m.Groups.Values.Skip(1)).SelectMany(g => g.Captures)
            .Select(c => c.Value)];

    /// <summary>Whether the text is PTX and not OpenCL C.</summary>
    public static bool IsPtx(string text) => text.Contains(".address_size", StringComparison.Ordinal);

    /// <summary>The text with each declared name changed, as a refactoring might do.</summary>
    public static string Rename(string text)
    {
        var names = Names(text);
        return Word().Replace(text, word => names.Contains(word.Value) ? $"{word.Value}Renamed" : word.Value);
    }

    private static IEnumerable<string> Lines(string text) =>
        // the first line is kept although it is a comment: it has the kernel's sizes
        from line in text.Split('\n').Select((line, number) => number == 0 ? line : Comment().Replace(line, ""))
        let tight = Space().Replace(line.Trim(), " ")
        where tight.Length > 0
        select tight;

    [GeneratedRegex(@"%?[A-Za-z_$][\w$]*")]
    private static partial Regex Word();

    [GeneratedRegex(@"//.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex(@"\.entry\s+(\w+)|^\s*\.param\b[^;\n]*?\s(_\w+)(?:\[\d+\])?,?\s*$|^\s*(?:\.visible\s+|\.extern\s+)?\.(?:shared|const|global)\b[^;\n]*?\s(\w+)\s*(?:\[\d*\])?\s*[;=]", RegexOptions.Multiline)]
    private static partial Regex PtxName();

    // The kernel, its parameters, macros with their parameters, functions, and variables of the functions in front of the kernel.
    [GeneratedRegex(@"\bvoid\s+(\w+)\s*\(|#define\s+(\w+)(?:\((?:(\w+)[,\s]*)*\))?|\b(?:u?(?:char|short|int|long)|float|half|bool)\d*\s+\**(?!var\d)(\w+)\s*(?=[=;,)(\[]|__attribute__)|\b__typeof__\(\w+\)\s+(\w+)")]
    private static partial Regex ClName();
}
