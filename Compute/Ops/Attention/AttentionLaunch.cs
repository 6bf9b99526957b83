using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Attention by blocks of keys and values, which are copied as they are. A part is a range of one head's queries: it processes all its
/// panels of queries (<see cref="AttentionPanel{V}"/>) with each block of keys while that is in the cache.
/// </summary>
// Methods with vector loops are optimised from the first call: an image may be finished before tiered compilation would optimise them.
internal sealed unsafe class AttentionLaunch<V> : CpuLaunch where V : struct, ISimd<V>
{
    private readonly GemmTile tile = GemmTile.Best;
    private readonly AttentionGrid grid;
    private readonly AttentionMask<V> mask;
    private readonly AttentionPanel<V> panel;
    private readonly Tensor k, v;
    private readonly int keyPitch, valuePitch;
    private readonly nint panelQueries, panelResults, blockKeys, blockValues, blockLogits; // elements of each part of the scratch memory

    public AttentionLaunch(OpCall call) : base(call)
    {
        (k, v) = (call.Inputs[1], call.Inputs[2]);
        grid = new AttentionGrid(call, tile, Workers.Count);
        mask = new AttentionMask<V>(grid, call);
        panel = new AttentionPanel<V>(call, grid, tile);
        (panelQueries, panelResults) = (panel.QueryElements, panel.ResultElements);
        (keyPitch, valuePitch) = (PitchOf(grid.Depth), PitchOf(IntegerMath.RoundUp(grid.ValueDepth, tile.Rows)));
        (blockKeys, blockValues) =
            ((nint)IntegerMath.RoundUp(grid.KeysPerBlock, tile.Rows) * keyPitch, (nint)grid.KeysPerBlock * valuePitch);
        blockLogits = panel.LogitElements(grid.KeysPerBlock);
        Workers.Reserve((grid.PanelsPerPart * (panelQueries + panelResults) + grid.PanelWidth + blockKeys + blockValues + blockLogits
            + mask.ScratchElements) * sizeof(float));
    }

    public override void Run()
    {
        if (grid.Parts > 0) Parallel(grid.Parts, inRanges: true);
    }

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    public override void Execute(int part, int worker)
    {
        int head = part / grid.PartsPerHead % grid.Heads, batch = part / grid.PartsPerHead / grid.Heads;
        int firstQuery = part % grid.PartsPerHead * grid.PanelsPerPart * grid.PanelWidth;
        int panels = Math.Min(grid.PanelsPerPart, IntegerMath.CeilDiv(grid.Queries - firstQuery, grid.PanelWidth));
        float* queries = Workers.Scratch<float>(worker), results = queries + grid.PanelsPerPart * panelQueries,
            factors = results + grid.PanelsPerPart * panelResults;
        float* keys = factors + grid.PanelWidth, values = keys + blockKeys, logits = values + blockValues,
            maskScratch = logits + blockLogits;

        for (int i = 0; i < panels; i++)
            panel.Begin(batch, head, firstQuery + i * grid.PanelWidth, queries + i * panelQueries, results + i * panelResults);

        for (int firstKey = 0; firstKey < grid.Keys; firstKey += grid.KeysPerBlock)
        {
            int count = Math.Min(grid.KeysPerBlock, grid.Keys - firstKey);
            if (mask.VisibleKeys(firstQuery + (panels - 1) * grid.PanelWidth, firstKey, count) == 0) break;
            Copy(k.Pointer<float>() + (batch * (nint)grid.Keys + firstKey) * k.RowPitch + head * grid.Depth, k.RowPitch, grid.Depth, count,
                keys, keyPitch);
            Copy(v.Pointer<float>() + (batch * (nint)grid.Keys + firstKey) * v.RowPitch + head * grid.ValueDepth, v.RowPitch,
                grid.ValueDepth, count, values, valuePitch);
            for (int i = 0; i < panels; i++)
            {
                int query = firstQuery + i * grid.PanelWidth, visible = mask.VisibleKeys(query, firstKey, count);
                if (visible == 0) continue;
                float* result = results + i * panelResults;
                panel.Logits(keys, keyPitch, visible, queries + i * panelQueries, logits);
                mask.Add(batch, head, query, firstKey, visible, logits, maskScratch);
                panel.Weigh(visible, logits, result, factors);
                panel.AddValues(values, valuePitch, visible, logits, result);
            }
        }

        for (int i = 0; i < panels; i++)
            panel.Finish(batch, head, firstQuery + i * grid.PanelWidth, results + i * panelResults, factors, logits);
    }

    /// <summary>
    /// Elements from one copied row to the next: an odd number of cache lines, so that consecutive rows use different cache sets.
    /// </summary>
    private static int PitchOf(int width) =>
        (IntegerMath.CeilDiv(width, AttentionGrid.CacheLine) | 1) * AttentionGrid.CacheLine;

    /// <summary>Copies a block of k or v, with each row zero-padded to a whole register.</summary>
    [MethodImpl(Jit.Kernel)]
    private static void Copy(float* source, nint sourcePitch, int width, int rows, float* target, int pitch)
    {
        for (; rows > 0; rows--, source += sourcePitch, target += pitch)
        {
            int i = 0;
            for (; i <= width - V.Count; i += V.Count) V.Store(V.Load(source + i), target + i);
            if (i < width) V.Store(Simd.LoadPartial<V>(source + i, width - i), target + i);
        }
    }
}
