using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Sizes of an attention call and its partition. Heads are contiguous column ranges of the rows of q, k and v.</summary>
internal sealed class AttentionGrid
{
    /// <summary>Floats in a cache line.</summary>
    public const int CacheLine = 16;

    // results of one part, which stay in the L2 cache
    private static readonly TuningParameter AccumulatorKib = new("accumulator_kib", 512, 128, 256, 512, 1024);
    private static readonly TuningParameter MostPanels = new("part_panels", 16, 2, 4, 8, 16, 32);
    private const int KeysPerBlockTarget = 144; // logits of a block, 144 · 32 · 4 bytes, stay in the L1 cache

    /// <summary>Partitions a call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="tile">The tile of its multiplications.</param>
    /// <param name="threads">Number of threads.</param>
    /// <param name="singly">Whether a part is one panel of queries, for the least working memory.</param>
    public AttentionGrid(OpCall call, GemmTile tile, int threads, bool singly = false)
    {
        Tensor q = call.Inputs[0], k = call.Inputs[1], v = call.Inputs[2];
        Heads = ((ScaledDotProductAttention)call.Op).Heads;
        Batch = q.Shape[0];
        (Queries, Keys) = (q.Rows / Math.Max(Batch, 1), k.Rows / Math.Max(Batch, 1));
        (Depth, ValueDepth) = (q.Width / Heads, v.Width / Heads);
        PanelWidth = tile.Columns;
        KeysPerBlock = Math.Min(KeysPerBlockTarget / tile.Rows, IntegerMath.CeilDiv(Keys, tile.Rows)) * tile.Rows;
        int panels = IntegerMath.CeilDiv(Queries, PanelWidth);
        PanelsPerPart = singly ? 1 : Math.Clamp(
            Math.Min(call.Settings[MostPanels], call.Settings[AccumulatorKib] * (1024 / sizeof(float)) / (ValueDepth * PanelWidth)), 1,
                Math.Max(panels, 1));
        int leastParts = call.Settings[GemmTuning.PartsPerThread] * threads;
        while (threads > 1 && PanelsPerPart > 2 && Batch * Heads * IntegerMath.CeilDiv(panels, PanelsPerPart) < leastParts)
            PanelsPerPart = IntegerMath.CeilDiv(PanelsPerPart, 2);
        PartsPerHead = IntegerMath.CeilDiv(panels, PanelsPerPart);
    }

    /// <summary>Tuning parameters, none of which changes a bit of the result: queries are independent of each other.</summary>
    public static TuningSpace Tuning { get; } = new(MostPanels, AccumulatorKib, GemmTuning.PartsPerThread);

    public int Batch { get; }

    public int Heads { get; }

    /// <summary>Tokens of q.</summary>
    public int Queries { get; }

    /// <summary>Tokens of k and v.</summary>
    public int Keys { get; }

    /// <summary>Width of a head of q and k.</summary>
    public int Depth { get; }

    /// <summary>Width of a head of v.</summary>
    public int ValueDepth { get; }

    /// <summary>
    /// Keys processed at a time, a multiple of the tile's rows. Independent of the number of threads, because it determines the order of
    /// additions.
    /// </summary>
    public int KeysPerBlock { get; }

    /// <summary>Queries of a panel, one per lane.</summary>
    public int PanelWidth { get; }

    /// <summary>Panels of a part, which share each block of keys.</summary>
    public int PanelsPerPart { get; }

    public int PartsPerHead { get; }

    public int Parts => Batch * Heads * PartsPerHead;
}
