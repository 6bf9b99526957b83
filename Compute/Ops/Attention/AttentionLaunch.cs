using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// Attention on transposed tiles: logits are computed as k·qᵀ, so that a query is a lane. Softmax then needs no horizontal step, its
/// weights are already packed for the product with v, and v is packed by plain copying; only q, k and the result are transposed. A part is a run of one head's
/// queries: it packs each block of keys once and takes its panels of queries through it.
/// </summary>
// Methods with vector loops are compiled at full optimisation from the first call: a picture may be drawn before the runtime would get round to it.
internal sealed unsafe class AttentionLaunch<V> : CpuLaunch where V : struct, ISimd<V>
{
    private const int ChannelGroup = 8; // results are transposed this many channels at a time
    private readonly GemmTile tile = GemmTile.Best;
    private readonly AttentionGrid grid;
    private readonly AttentionMask<V> mask;
    private readonly Tensor q, k, v, y;
    private readonly float scale;
    private readonly nint panelQueries, panelResults, blockKeys, blockValues, blockLogits; // elements of each piece of working memory

    public AttentionLaunch(OpCall call) : base(call)
    {
        var op = (Attention)call.Op;
        (q, k, v, y) = (call.Inputs[0], call.Inputs[1], call.Inputs[2], call.Output);
        grid = new AttentionGrid(call, tile, Workers.Count);
        mask = new AttentionMask<V>(grid, call.Inputs.Length > 3 ? call.Inputs[3] : null, op.Causal);
        scale = (float)(op.Scale ?? 1 / Math.Sqrt(grid.Depth));
        panelQueries = (nint)grid.Depth * grid.PanelWidth;
        panelResults = (nint)(grid.ValueDepth + 2) * grid.PanelWidth; // and the panel's largest logits and sums
        blockKeys = (nint)grid.KeysPerBlock * grid.Depth + 2 * Packer.Overrun;
        blockValues = (nint)grid.KeysPerBlock * RoundUp(grid.ValueDepth, tile.Rows) + V.Count;
        blockLogits = Math.Max((nint)grid.KeysPerBlock * grid.PanelWidth, (nint)grid.PanelWidth * RoundUp(grid.ValueDepth, ChannelGroup));
        Workers.Reserve((grid.PanelsPerPart * (panelQueries + panelResults) + grid.PanelWidth + blockKeys + blockValues + blockLogits + mask.ScratchElements) * sizeof(float));
    }

    public override void Run()
    {
        if (grid.Parts > 0) Parallel(grid.Parts);
    }

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    public override void Execute(int part, int worker)
    {
        int head = part / grid.PartsPerHead % grid.Heads, batch = part / grid.PartsPerHead / grid.Heads;
        int firstQuery = part % grid.PartsPerHead * grid.PanelsPerPart * grid.PanelWidth;
        int panels = Math.Min(grid.PanelsPerPart, (grid.Queries - firstQuery + grid.PanelWidth - 1) / grid.PanelWidth);
        float* queries = Workers.Scratch<float>(worker), results = queries + grid.PanelsPerPart * panelQueries, factors = results + grid.PanelsPerPart * panelResults;
        float* keys = factors + grid.PanelWidth, values = keys + blockKeys, logits = values + blockValues, maskScratch = logits + blockLogits;

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
            PackKeys(batch, head, firstKey, count, keys);
            PackValues(batch, head, firstKey, count, values);
            for (int panel = 0; panel < panels; panel++)
            {
                int query = firstQuery + panel * grid.PanelWidth, visible = mask.VisibleKeys(query, firstKey, count);
                if (visible == 0) continue;
                float* result = results + panel * panelResults, statistics = Statistics(result);
                for (int key = 0; key < visible; key += tile.Rows)
                    tile.Multiply(grid.Depth, keys + (nint)key * grid.Depth, queries + panel * panelQueries, logits + key * grid.PanelWidth, grid.PanelWidth, Math.Min(tile.Rows, visible - key), false, null);
                mask.Add(batch, head, query, firstKey, visible, logits, maskScratch);
                if (OnlineSoftmax.Update<V>(visible, logits, statistics, statistics - grid.PanelWidth, factors)) Scale(result, factors);
                for (int channel = 0; channel < grid.ValueDepth; channel += tile.Rows)
                    tile.Multiply(visible, values + (nint)channel * count, logits, result + (nint)channel * grid.PanelWidth, grid.PanelWidth, Math.Min(tile.Rows, grid.ValueDepth - channel), true, null);
            }
        }

        for (int panel = 0; panel < panels; panel++) Finish(batch, head, firstQuery + panel * grid.PanelWidth, results + panel * panelResults, factors, logits);
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

    [SkipLocalsInit]
    private void PackKeys(int batch, int head, int first, int count, float* target)
    {
        int group = RoundUp(tile.Rows, Packer.RowGroup);
        byte** addresses = stackalloc byte*[group];
        for (int key = 0; key < count; key += tile.Rows, target += (nint)tile.Rows * grid.Depth)
        {
            Find(k, batch * (nint)grid.Keys, first + key, grid.Keys, head * grid.Depth, group, addresses);
            Packer.Float32.Pack(addresses, group, 0, grid.Depth, target, tile.Rows);
        }
    }

    /// <summary>Copies v to <c>[channels / Rows][key][Rows]</c>, the last channels followed by zeros.</summary>
    [MethodImpl(Jit.Kernel)]
    private void PackValues(int batch, int head, int first, int count, float* target)
    {
        float* source = v.Pointer<float>() + (batch * (nint)grid.Keys + first) * v.RowPitch + head * grid.ValueDepth;
        int covered = RoundUp(tile.Rows, V.Count); // registers may reach past a tile's rows: the next key overwrites that
        for (int channel = 0; channel < grid.ValueDepth; channel += tile.Rows)
        {
            float* row = source + channel;
            bool whole = channel + covered <= grid.ValueDepth;
            int channels = Math.Min(tile.Rows, grid.ValueDepth - channel);
            for (int key = 0; key < count; key++, row += v.RowPitch, target += tile.Rows)
            {
                if (whole)
                {
                    for (int i = 0; i < tile.Rows; i += V.Count) V.Store(V.Load(row + i), target + i);
                }
                else
                {
                    new ReadOnlySpan<float>(row, channels).CopyTo(new Span<float>(target, tile.Rows));
                    new Span<float>(target + channels, tile.Rows - channels).Clear();
                }
            }
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

    /// <summary>Divides by the sums of weights and writes the panel's rows. A query that sees no key gets 0, as PyTorch has it since 2.5.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private void Finish(int batch, int head, int first, float* result, float* factors, float* scratch)
    {
        float* sums = Statistics(result) - grid.PanelWidth;
        for (int i = 0; i < grid.PanelWidth; i++) factors[i] = sums[i] == 0 ? 0 : 1 / sums[i];
        Scale(result, factors);
        int width = RoundUp(grid.ValueDepth, ChannelGroup);
        byte** addresses = stackalloc byte*[ChannelGroup];
        for (int channel = 0; channel < width; channel += ChannelGroup)
        {
            for (int i = 0; i < ChannelGroup; i++) addresses[i] = (byte*)(result + (nint)Math.Min(channel + i, grid.ValueDepth - 1) * grid.PanelWidth);
            Packer.Float32.Pack(addresses, ChannelGroup, 0, grid.PanelWidth, scratch + channel, width);
        }

        float* target = y.Pointer<float>() + (batch * (nint)grid.Queries + first) * y.RowPitch + head * grid.ValueDepth;
        for (int i = 0; i < Math.Min(grid.PanelWidth, grid.Queries - first); i++, target += y.RowPitch)
            new ReadOnlySpan<float>(scratch + (nint)i * width, grid.ValueDepth).CopyTo(new Span<float>(target, grid.ValueDepth));
    }

    private static void Find(Tensor tensor, nint firstRow, int first, int tokens, int column, int count, byte** addresses)
    {
        float* start = tensor.Pointer<float>() + firstRow * tensor.RowPitch + column;
        for (int i = 0; i < count; i++) addresses[i] = (byte*)(start + (nint)Math.Min(first + i, tokens - 1) * tensor.RowPitch);
    }

    private static int RoundUp(int size, int multiple) => (size + multiple - 1) / multiple * multiple;
}
