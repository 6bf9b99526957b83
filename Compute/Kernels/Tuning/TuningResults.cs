namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Tuning results by key. Thread-safe.</summary>
internal sealed class TuningResults
{
    private const double FarthestRows = 2; // results for sizes farther off are no guide
    private readonly Dictionary<TuningKey, SortedDictionary<int, TuningEntry>> entries = [];
    private readonly Lock gate = new();

    public IReadOnlyList<TuningEntry> All
    {
        get
        {
            lock (gate)
                return [.. entries.Values.SelectMany(e => e.Values).OrderBy(e => e.Op, StringComparer.Ordinal)
                    .ThenBy(e => e.Shape, StringComparer.Ordinal).ThenBy(e => e.Rows)];
        }
    }

    /// <summary>Adds results; a later one replaces an earlier one with the same key and rows, and those of other revisions.</summary>
    public void Add(IEnumerable<TuningEntry> added)
    {
        lock (gate)
        {
            foreach (var entry in added)
            {
                var key = entry.Key;
                var stale = entries.Keys.Where(k => k != key && k with { Revision = key.Revision } == key).ToArray();
                foreach (var old in stale) entries.Remove(old);
                if (!entries.TryGetValue(key, out var rows)) entries.Add(key, rows = []);
                rows[entry.Rows] = entry;
            }
        }
    }

    /// <summary>The result for these rows, or else for the nearest ones within a factor of two.</summary>
    public TuningEntry? Nearest(TuningKey key, int rows)
    {
        lock (gate)
        {
            if (!entries.TryGetValue(key, out var found)) return null;
            if (found.TryGetValue(rows, out var exact)) return exact;
            var nearest = found.Values.MinBy(e => Distance(e.Rows, rows))!;
            return Distance(nearest.Rows, rows) <= FarthestRows ? nearest : null;
        }
    }

    /// <summary>The result for exactly these rows.</summary>
    public TuningEntry? Exact(TuningKey key, int rows)
    {
        lock (gate) return entries.TryGetValue(key, out var found) ? found.GetValueOrDefault(rows) : null;
    }

    private static double Distance(int a, int b) => Math.Max((double)a / b, (double)b / a);
}
