using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Attention on transposed tiles: logits are computed as k·qᵀ, so that a query is a lane. Softmax then needs no horizontal step, and its
/// weights are already packed for the multiplication with v; only q and the result are transposed, k and v are copied as they are. A part
/// is a range of one head's queries: it processes all its panels of queries with each block of keys while that is in the cache.
/// </summary>
// Methods with vector loops are optimised from the first call: an image may be finished before tiered compilation would optimise them.
internal sealed unsafe class AttentionLaunch<V> : CpuLaunch where V : struct, ISimd<V>
{
    private const int CacheLine = 16; // floats
    private readonly GemmTile tile = GemmTile.Best;
    private readonly AttentionGrid grid;
    private readonly AttentionMask<V> mask;
    private readonly Tensor q, k, v, y;
    private readonly float scale;
    private readonly int keyPitch, valuePitch;
    private readonly nint panelQueries, panelResults, blockKeys, blockValues, blockLogits; // elements of each part of the scratch memory

    public AttentionLaunch(OpCall call) : base(call)
    {
        var op = (ScaledDotProductAttention)call.Op;
        (q, k, v, y) = (call.Inputs[0], call.Inputs[1], call.Inputs[2], call.Output);
        grid = new AttentionGrid(call, tile, Workers.Count);
        mask = new AttentionMask<V>(grid, call.Inputs.Length > 3 ? call.Inputs[3] : null, op.Causal);
        scale = (float)(op.Scale ?? 1 / Math.Sqrt(grid.Depth));
        panelQueries = (nint)grid.Depth * grid.PanelWidth;
        panelResults = (nint)(grid.ValueDepth + 2) * grid.PanelWidth; // plus the panel's largest logits and sums
        (keyPitch, valuePitch) = (PitchOf(grid.Depth), PitchOf(IntegerMath.RoundUp(grid.ValueDepth, tile.Rows)));
        (blockKeys, blockValues) =
            ((nint)IntegerMath.RoundUp(grid.KeysPerBlock, tile.Rows) * keyPitch, (nint)grid.KeysPerBlock * valuePitch);
        blockLogits = Math.Max((nint)IntegerMath.RoundUp(grid.KeysPerBlock, tile.Rows) * grid.PanelWidth,
            (nint)grid.PanelWidth * IntegerMath.RoundUp(grid.ValueDepth, Packer.RowGroup));
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

        for (int panel = 0; panel < panels; panel++)
        {
            PackQueries(batch, head, firstQuery + panel * grid.PanelWidth, queries + panel * panelQueries);
            float* statistics = Statistics(results + panel * panelResults);
            new Span<float>(statistics, grid.PanelWidth).Fill(OnlineSoftmax.NoLogit);
            new Span<float>(results + panel * panelResults, (int)(panelResults - grid.PanelWidth)).Clear();
        }

        for (int firstKey = 0; firstKey < grid.Keys; firstKey += grid.KeysPerBlock)
        {
            int count = Math.Min(grid.KeysPerBlock, grid.Keys - firstKey);
            if (mask.VisibleKeys(firstQuery + (panels - 1) * grid.PanelWidth, firstKey, count) == 0) break;
            Copy(k.Pointer<float>() + (batch * (nint)grid.Keys + firstKey) * k.RowPitch + head * grid.Depth, k.RowPitch, grid.Depth, count,
                keys, keyPitch);
            Copy(v.Pointer<float>() + (batch * (nint)grid.Keys + firstKey) * v.RowPitch + head * grid.ValueDepth, v.RowPitch,
                grid.ValueDepth, count, values, valuePitch);
            for (int panel = 0; panel < panels; panel++)
            {
                int query = firstQuery + panel * grid.PanelWidth, visible = mask.VisibleKeys(query, firstKey, count);
                if (visible == 0) continue;
                float* result = results + panel * panelResults, statistics = Statistics(result);
                Logits(keys, visible, queries + panel * panelQueries, logits);
                mask.Add(batch, head, query, firstKey, visible, logits, maskScratch);
                if (OnlineSoftmax.Update<V>(visible, logits, statistics, statistics - grid.PanelWidth, factors)) Scale(result, factors);
                AddValues(values, visible, logits, result);
            }
        }

        for (int panel = 0; panel < panels; panel++)
            Finish(batch, head, firstQuery + panel * grid.PanelWidth, results + panel * panelResults, factors, logits);
    }

    /// <summary>A panel's results [channel][query] are followed by its sums of weights and its largest logits.</summary>
    private float* Statistics(float* result) => result + panelResults - grid.PanelWidth;

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private void PackQueries(int batch, int head, int first, float* target)
    {
        byte** addresses = stackalloc byte*[grid.PanelWidth];
        Find(q, batch * (nint)grid.Queries, first, grid.Queries, head * grid.Depth, grid.PanelWidth, addresses);
        Packer.Float32.Pack(addresses, grid.PanelWidth, 0, grid.Depth, target, grid.PanelWidth);
        V factor = V.Create(scale);
        for (nint i = 0; i < panelQueries; i += V.Count) V.Store(V.Load(target + i) * factor, target + i);
    }

    /// <summary>
    /// Elements from one copied row to the next: an odd number of cache lines, so that consecutive rows use different cache sets.
    /// </summary>
    private static int PitchOf(int width) => (IntegerMath.RoundUp(width, CacheLine) / CacheLine | 1) * CacheLine;

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

    /// <summary>A panel's logits, [key][query].</summary>
    [MethodImpl(Jit.Kernel)]
    private void Logits(float* keys, int visible, float* queries, float* logits)
    {
        for (int key = 0; key < visible; key += tile.Rows)
            tile.Multiply(grid.Depth, keys + (nint)key * keyPitch, keyPitch, 1, queries, logits + key * grid.PanelWidth, grid.PanelWidth,
                Math.Min(tile.Rows, visible - key), false, null);
    }

    /// <summary>Adds weights times values to a panel's results, [channel][query].</summary>
    [MethodImpl(Jit.Kernel)]
    private void AddValues(float* values, int visible, float* weights, float* result)
    {
        for (int channel = 0; channel < grid.ValueDepth; channel += tile.Rows)
        {
            int rows = Math.Min(tile.Rows, grid.ValueDepth - channel);
            tile.Multiply(visible, values + channel, 1, valuePitch, weights, result + (nint)channel * grid.PanelWidth, grid.PanelWidth,
                rows, true, null);
        }
    }

    [MethodImpl(Jit.Kernel)]
    private void Scale(float* result, float* factors)
    {
        V left = V.Load(factors), right = V.Load(factors + V.Count);
        for (int channel = 0; channel < grid.ValueDepth; channel++, result += grid.PanelWidth)
        {
            V.Store(V.Load(result) * left, result);
            V.Store(V.Load(result + V.Count) * right, result + V.Count);
        }
    }

    /// <summary>
    /// Divides by the sums of weights and writes the panel's rows. A query without visible keys gives 0, as in PyTorch since 2.5.
    /// </summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private void Finish(int batch, int head, int first, float* result, float* factors, float* scratch)
    {
        float* sums = Statistics(result) - grid.PanelWidth;
        for (int i = 0; i < grid.PanelWidth; i += V.Count)
        {
            V sum = V.Load(sums + i); // the largest logit's weight is 1
            V.Store(V.IfLess(sum, V.Create(0.5f), V.Create(0f), V.Create(1f) / sum), factors + i);
        }

        Scale(result, factors);
        int queries = Math.Min(grid.PanelWidth, grid.Queries - first), width = IntegerMath.RoundUp(grid.ValueDepth, Packer.RowGroup);
        byte** addresses = stackalloc byte*[width];
        for (int channel = 0; channel < width; channel++)
            addresses[channel] = (byte*)(result + (nint)Math.Min(channel, grid.ValueDepth - 1) * grid.PanelWidth);
        float* target = y.Pointer<float>() + (batch * (nint)grid.Queries + first) * y.RowPitch + head * grid.ValueDepth;
        if (grid.ValueDepth % CacheLine == 0)
        {
            Packer.Float32.Pack(addresses, width, 0, queries, target, y.RowPitch);
            return;
        }

        Packer.Float32.Pack(addresses, width, 0, queries, scratch, width);
        for (int i = 0; i < queries; i++, target += y.RowPitch)
            new ReadOnlySpan<float>(scratch + i * width, grid.ValueDepth).CopyTo(new Span<float>(target, grid.ValueDepth));
    }

    private static void Find(Tensor tensor, nint firstRow, int first, int tokens, int column, int count, byte** addresses)
    {
        float* start = tensor.Pointer<float>() + firstRow * tensor.RowPitch + column;
        for (int i = 0; i < count; i++) addresses[i] = (byte*)(start + (nint)Math.Min(first + i, tokens - 1) * tensor.RowPitch);
    }
}
