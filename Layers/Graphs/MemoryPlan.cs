namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Places values of known size and lifetime in one arena so that values alive at the same time do not overlap.
/// </summary>
/// <remarks>Greedy by size, best fit (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020,
/// arXiv:2001.03288).</remarks>
internal static class MemoryPlan
{
    /// <summary>Offsets are multiples of a cache line.</summary>
    private const long Alignment = 64;

    /// <summary>A block of memory that is needed from one step to another, both included.</summary>
    internal sealed class Block(long bytes, int first, int last)
    {
        private readonly long bytes = Up(bytes);
        private long lead;

        public long Bytes => lead + bytes;

        /// <summary>Unused bytes before the values, where a block that overlaps this one begins.</summary>
        public long Lead { get => lead; set => lead = Up(value); }

        /// <summary>Offset of the values.</summary>
        public long Start => Offset + lead;

        /// <summary>A block that this one may overlap in its last step, if the values here begin where that block does.</summary>
        public Block? Over { get; init; }

        /// <summary>Whether it was placed so.</summary>
        public bool IsOver { get; set; }

        public int First { get; } = first;

        public int Last { get; set; } = last;

        public long Offset { get; set; }

        public bool MeetsInSpace(Block other, long offset) => offset < other.Offset + other.Bytes && other.Offset < offset + Bytes;

        public bool MeetsInTime(Block other) => First <= other.Last && other.First <= Last;
    }

    /// <summary>Sets every block's offset.</summary>
    /// <returns>Size of the arena in bytes.</returns>
    public static long Place(IEnumerable<Block> blocks)
    {
        var placed = new List<Block>(); // by offset
        long arena = 0;
        foreach (var block in blocks.OrderByDescending(b => b.Bytes).ThenBy(b => b.First))
        {
            block.Offset = OverGap(block, placed) ?? BestGap(block, placed);
            int position = placed.FindIndex(b => b.Offset > block.Offset);
            placed.Insert(position < 0 ? placed.Count : position, block);
            arena = Math.Max(arena, block.Offset + block.Bytes);
        }

        return arena;
    }

    /// <summary>The maximum number of live bytes at any step, a lower bound of the arena.</summary>
    public static long PeakLive(IReadOnlyCollection<Block> blocks, int steps)
    {
        long[] change = new long[steps + 3]; // inputs are live from step −1 on
        foreach (var block in blocks)
        {
            change[block.First + (block.IsOver ? 2 : 1)] += block.Bytes;
            change[block.Last + 2] -= block.Bytes;
        }

        long live = 0, peak = 0;
        foreach (long delta in change) peak = Math.Max(peak, live += delta);
        return peak;
    }

    private static long Up(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private static long? OverGap(Block block, List<Block> placed)
    {
        if (block.Over is not { } over || block.First != over.Last || !placed.Contains(over)) return null;
        long offset = over.Offset - block.Lead;
        if (offset < 0 || placed.Any(other => other != over && other.MeetsInTime(block) && block.MeetsInSpace(other, offset))) return null;
        block.IsOver = true;
        return offset;
    }

    private static long BestGap(Block block, List<Block> placed)
    {
        long best = -1, bestSize = long.MaxValue, end = 0;
        foreach (var other in placed)
        {
            if (!other.MeetsInTime(block)) continue;
            long gap = other.Offset - end;
            if (gap >= block.Bytes && gap < bestSize) (best, bestSize) = (end, gap);
            end = Math.Max(end, other.Offset + other.Bytes);
        }

        return best >= 0 ? best : end;
    }
}
