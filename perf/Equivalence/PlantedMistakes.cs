using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Equivalence;

/// <summary>
/// Checks that the comparison of texts can fail: in every text of a folder, one instruction, one number and one pair of registers are
/// changed at a random place. Changing all names must make no difference.
/// </summary>
internal static partial class PlantedMistakes
{
    private static readonly string[] Texts = ["*.ptx", "*.cl"];
    private static readonly (string Name, Func<string, Random, string?> Plant)[] Kinds = [("an instruction", Instruction),
        ("a number", Number), ("registers exchanged", Registers), ("a line left out", Line)];

    /// <summary>Prints how many mistakes were planted and found.</summary>
    /// <returns>0 if each mistake was found and no change of names was reported.</returns>
    public static int Check(string folder)
    {
        string[] files = [.. Texts.SelectMany(kind => Directory.GetFiles(folder, kind, SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal)];
        if (files.Length == 0) throw new DirectoryNotFoundException($"{folder} has no texts.");
        var random = new Random(1);
        var missed = new List<string>();
        var planted = Kinds.ToDictionary(k => k.Name, _ => 0);
        foreach (string file in files)
        {
            string text = File.ReadAllText(file);
            string[] right = KernelText.Normalise(text);
            if (TextPairs.Difference(right, KernelText.Normalise(KernelText.Rename(text))) is { } difference)
                missed.Add($"{file}: other names make a difference: {difference}");
            foreach (var (name, plant) in Kinds)
            {
                if (plant(text, random) is not { } wrong) continue;
                planted[name]++;
                if (TextPairs.Difference(right, KernelText.Normalise(wrong)) is null) missed.Add($"{file}: {name}: not found");
            }
        }

        Console.WriteLine($"{files.Length} texts; other names throughout: "
            + $"{files.Length - missed.Count(m => m.Contains("other names", StringComparison.Ordinal))} equal.");
        foreach (var (name, count) in planted)
        {
            int absent = missed.Count(m => m.EndsWith($"{name}: not found", StringComparison.Ordinal));
            Console.WriteLine($"{name}: planted in {count}, found in {count - absent}.");
        }

        foreach (string line in missed.Take(20)) Console.WriteLine($"  {line}");
        return missed.Count == 0 && planted.Values.All(count => count > 0) ? 0 : 1;
    }

    private static string? Instruction(string text, Random random) => KernelText.IsPtx(text)
        ? Replace(text, random, PtxInstruction(), m => $"{m.Groups[1].Value}{(m.Groups[2].Value == "xor" ? "or" : "xor")}.b32")
        : Replace(text, random, ClOperator(), m => $"{m.Groups[1].Value}{(m.Groups[2].Value == "-" ? "+" : "-")}{m.Groups[3].Value}")
            ?? Replace(text, random, ClCall(), m => $"{m.Groups[1].Value}exp2(");

    private static string? Number(string text, Random random) =>
        Replace(text, random, KernelText.IsPtx(text) ? PtxNumber() : ClNumber(), m => m.Value[..^1] + (m.Value[^1] == '7' ? '3' : '7'));

    private static string? Registers(string text, Random random) =>
        Replace(text, random, KernelText.IsPtx(text) ? PtxRegisters() : ClVariables(),
            m => $"{m.Groups[3].Value}{m.Groups[2].Value}{m.Groups[1].Value}");

    private static string? Line(string text, Random random) => Replace(text, random, Statement(), _ => "");

    // Only in the kernel's body, not in its declarations or before it.
    private static string? Replace(string text, Random random, Regex place, Func<Match, string> wrong)
    {
        int body = KernelText.IsPtx(text) ? text.LastIndexOf(".reg", StringComparison.Ordinal)
            : text.IndexOf("kernel __attribute__", StringComparison.Ordinal);
        body = text.IndexOf(KernelText.IsPtx(text) ? '\n' : '{', Math.Max(body, 0));
        Match[] places = [.. place.Matches(text, body).Where(m => m.Groups.Count < 4 || m.Groups[1].Value != m.Groups[3].Value)];
        if (places.Length == 0) return null;
        var match = places[random.Next(places.Length)];
        return text[..match.Index] + wrong(match) + text[(match.Index + match.Length)..];
    }

    [GeneratedRegex(@"^(\s*(?:@!?%p\d+\s+)?)(\w+)\.[\w.]+(?=\s+[%\[{])", RegexOptions.Multiline)]
    private static partial Regex PtxInstruction();

    [GeneratedRegex(@"(\w\s+)([-+*/&|<>])(\s+\w)")]
    private static partial Regex ClOperator();

    [GeneratedRegex(@"(=\s+)(?!exp2\()(\w+)\(")]
    private static partial Regex ClCall();

    [GeneratedRegex(@"(?<=,\s*)(?:\d+|0f[0-9A-F]{8})(?=;)")]
    private static partial Regex PtxNumber();

    [GeneratedRegex(@"(?<![\w.])\d+(?=\s*[;,)])")]
    private static partial Regex ClNumber();

    [GeneratedRegex(@"(%[a-z]+\d+)(,\s+)(%[a-z]+\d+)")]
    private static partial Regex PtxRegisters();

    [GeneratedRegex(@"\b(var\d+)\b([^;\n]*?)\b(var\d+)\b")]
    private static partial Regex ClVariables();

    [GeneratedRegex(@"^\s*[^\s{}/#.][^\n]*;[ \t]*$", RegexOptions.Multiline)]
    private static partial Regex Statement();
}
