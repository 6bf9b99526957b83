using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Attention with little working memory: keys in chunks, read in place.</summary>
internal readonly struct ChunkedAttentionCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new ChunkedAttentionLaunch<V>(call);
}

/// <summary>
/// A part is one panel of queries, which reads keys and values where they are, a chunk at a time: no copies, and a working memory of one
/// panel. Only the rows and columns that end a tensor are copied, because tiles read whole groups of them.
/// </summary>
internal sealed unsafe class ChunkedAttentionLaunch<V> : CpuLaunch where V : struct, ISimd<V>
{
    private readonly GemmTile tile = GemmTile.Best;
    private readonly AttentionGrid grid;
    private readonly AttentionMask<V> mask;
    private readonly AttentionPanel<V> panel;
    private readonly Tensor k, v;
    private readonly nint logitElements, lastElements;

    public ChunkedAttentionLaunch(OpCall call) : base(call)
    {
        (k, v) = (call.Inputs[1], call.Inputs[2]);
        grid = new AttentionGrid(call, tile, Workers.Count, singly: true);
        mask = new AttentionMask<V>(grid, call);
        panel = new AttentionPanel<V>(call, grid, tile);
        logitElements = panel.LogitElements(grid.KeysPerBlock);
        lastElements = (nint)tile.Rows * Math.Max(grid.Depth, grid.KeysPerBlock);
        Workers.Reserve((panel.QueryElements + panel.ResultElements + grid.PanelWidth + logitElements + lastElements
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
        int firstQuery = part % grid.PartsPerHead * grid.PanelWidth;
        float* queries = Workers.Scratch<float>(worker), result = queries + panel.QueryElements,
            factors = result + panel.ResultElements, logits = factors + grid.PanelWidth, last = logits + logitElements,
            maskScratch = last + lastElements;
        panel.Begin(batch, head, firstQuery, queries, result);
        for (int firstKey = 0; firstKey < grid.Keys; firstKey += grid.KeysPerBlock)
        {
            int visible = mask.VisibleKeys(firstQuery, firstKey, Math.Min(grid.KeysPerBlock, grid.Keys - firstKey));
            if (visible == 0) break;
            nint row = batch * (nint)grid.Keys + firstKey;
            Logits(row, head, visible, queries, logits, last);
            mask.Add(batch, head, firstQuery, firstKey, visible, logits, maskScratch);
            panel.Weigh(visible, logits, result, factors);
            AddValues(row, head, visible, logits, result, last);
        }

        panel.Finish(batch, head, firstQuery, result, factors, logits);
    }

    private void Logits(nint row, int head, int visible, float* queries, float* logits, float* last)
    {
        float* keys = k.Pointer<float>() + row * k.RowPitch + head * grid.Depth;
        int inPlace = row + IntegerMath.RoundUp(visible, tile.Rows) <= k.Rows ? visible : visible / tile.Rows * tile.Rows;
        panel.Logits(keys, k.RowPitch, inPlace, queries, logits);
        if (inPlace == visible) return;
        for (int i = 0; i < visible - inPlace; i++)
            new ReadOnlySpan<float>(keys + (inPlace + i) * (nint)k.RowPitch, grid.Depth)
                .CopyTo(new Span<float>(last + i * grid.Depth, grid.Depth));
        panel.Logits(last, grid.Depth, visible - inPlace, queries, logits + inPlace * grid.PanelWidth);
    }

    private void AddValues(nint row, int head, int visible, float* weights, float* result, float* last)
    {
        int column = head * grid.ValueDepth, whole = grid.ValueDepth / tile.Rows * tile.Rows, rest = grid.ValueDepth - whole;
        float* values = v.Pointer<float>() + row * v.RowPitch + column;
        nint end = (row + visible - 1) * v.RowPitch + column + IntegerMath.RoundUp(grid.ValueDepth, tile.Rows);
        bool reaches = end <= (v.Rows - 1) * (nint)v.RowPitch + v.Width; // the tensor's end
        panel.AddValues(values, v.RowPitch, 0, reaches ? grid.ValueDepth : whole, visible, weights, result);
        if (reaches || rest == 0) return;
        for (int i = 0; i < visible; i++)
            new ReadOnlySpan<float>(values + i * (nint)v.RowPitch + whole, rest).CopyTo(new Span<float>(last + i * tile.Rows, rest));
        panel.AddValues(last - whole, tile.Rows, whole, grid.ValueDepth, visible, weights, result);
    }
}
