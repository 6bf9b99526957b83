namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Finds the name closest to a mistyped one, for messages.</summary>
public static class NearestName
{
    private const int LongestWord = 64;

    /// <summary>The closest name, or null where more than about a third of the letters differ.</summary>
    /// <param name="word">The mistyped word.</param>
    /// <param name="names">The known names.</param>
    public static string? Of(string word, IEnumerable<string> names)
    {
        if (word.Length is 0 or > LongestWord) return null;
        var (name, distance) = names.Select(name => (name, Distance(word.ToLowerInvariant(), name.ToLowerInvariant())))
            .DefaultIfEmpty(("", int.MaxValue)).MinBy(pair => pair.Item2);
        return distance <= Math.Max(1, Math.Max(word.Length, name.Length) / 3) ? name : null;
    }

    /// <summary>Optimal string alignment distance: letters inserted, removed, replaced, or swapped with their neighbour.</summary>
    internal static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    rows[i, j] = i + j;
                    continue;
                }

                int best = Math.Min(Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1, rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                rows[i, j] = swapped ? Math.Min(best, rows[i - 2, j - 2] + 1) : best;
            }

        return rows[a.Length, b.Length];
    }
}
