using System.Globalization;
using System.Reflection;
using System.Text;

namespace ILGpuDiffusion.Pipelines.Tokenizers;

/// <summary>
/// Unicode normalization form C: é as two code points becomes é as one. Where .NET runs in its invariant mode (usual in containers, without
/// ICU), <see cref="string.Normalize()"/> silently returns text unchanged, and the same prompt would get other tokens. This table gives the
/// same ones on every machine.
/// </summary>
internal static class CanonicalComposition
{
    private const int FirstComposing = 0x300; // below, every code point is its own form C
    private const int SBase = 0xAC00, LBase = 0x1100, VBase = 0x1161, TBase = 0x11A7, LCount = 19, VCount = 21, TCount = 28;

    private static readonly Tables Facts = Tables.Read();

    /// <summary>Form C of the text; lone surrogates become U+FFFD.</summary>
    public static string Normalize(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange((char)FirstComposing, char.MaxValue)) return text;
        var points = new List<int>(text.Length);
        foreach (Rune rune in text.EnumerateRunes()) Decompose(rune.Value, points);
        Order(points);
        Compose(points);
        var result = new StringBuilder(points.Count);
        foreach (int point in points) result.Append(new Rune(point).ToString());
        return result.ToString();
    }

    private static void Decompose(int point, List<int> output)
    {
        int syllable = point - SBase;
        if (syllable is >= 0 and < LCount * VCount * TCount)
        {
            output.Add(LBase + syllable / (VCount * TCount));
            output.Add(VBase + syllable % (VCount * TCount) / TCount);
            if (syllable % TCount != 0) output.Add(TBase + syllable % TCount);
        }
        else if (Facts.Decompositions.TryGetValue(point, out var parts))
        {
            Decompose(parts.First, output);
            if (parts.Second != 0) Decompose(parts.Second, output);
        }
        else
        {
            output.Add(point);
        }
    }

    /// <summary>Sorts each run of marks by combining class, equal classes in the order given.</summary>
    private static void Order(List<int> points)
    {
        for (int start = 0; start < points.Count; start++)
        {
            if (Facts.ClassOf(points[start]) == 0) continue;
            int end = start + 1;
            while (end < points.Count && Facts.ClassOf(points[end]) != 0) end++;
            int[] run = [.. points[start..end].OrderBy(Facts.ClassOf)]; // OrderBy is stable
            for (int i = 0; i < run.Length; i++) points[start + i] = run[i];
            start = end - 1;
        }
    }

    /// <summary>Joins each mark with the last starter unless a mark of its class or a higher one is between them.</summary>
    private static void Compose(List<int> points)
    {
        int starter = -1, kept = 0, lastClass = 0;
        foreach (int point in points.ToArray())
        {
            int combining = Facts.ClassOf(point);
            bool blocked = kept - starter > 1 && (lastClass == 0 || lastClass >= combining);
            if (starter >= 0 && !blocked && Pair(points[starter], point) is { } joined)
            {
                points[starter] = joined;
                continue;
            }

            if (combining == 0) starter = kept;
            lastClass = combining;
            points[kept++] = point;
        }

        points.RemoveRange(kept, points.Count - kept);
    }

    private static int? Pair(int first, int second)
    {
        if (first - LBase is >= 0 and < LCount && second - VBase is >= 0 and < VCount)
            return SBase + ((first - LBase) * VCount + second - VBase) * TCount;
        if (first - SBase is >= 0 and < LCount * VCount * TCount && (first - SBase) % TCount == 0 && second - TBase is > 0 and < TCount)
            return first + second - TBase;
        return Facts.Compositions.TryGetValue((first, second), out int joined) ? joined : null;
    }

    /// <summary>The content of CanonicalForms.txt.</summary>
    private sealed record Tables(
        Dictionary<int, byte> Classes, Dictionary<int, (int First, int Second)> Decompositions,
            Dictionary<(int First, int Second), int> Compositions)
    {
        public int ClassOf(int point) => point < FirstComposing ? 0 : Classes.GetValueOrDefault(point);

        public static Tables Read()
        {
            var tables = new Tables([], [], []);
            using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("CanonicalForms.txt")!;
            using var reader = new StreamReader(stream);
            while (reader.ReadLine() is { } line)
                if (!line.StartsWith('#')) tables.Add(line.Split(' '));
            return tables;
        }

        private void Add(string[] words)
        {
            if (words[0].Split("..") is [var from, var to])
            {
                for (int point = Hex(from); point <= Hex(to); point++) Classes[point] = byte.Parse(words[1], CultureInfo.InvariantCulture);
                return;
            }

            var parts = (First: Hex(words[1]), Second: words.Length > 2 ? Hex(words[2]) : 0);
            Decompositions[Hex(words[0])] = parts;
            if (words.Length == 3) Compositions[parts] = Hex(words[0]);
        }

        private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
