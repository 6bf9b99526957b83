using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// The steps of attention for a panel of queries on transposed tiles: logits are computed as k·qᵀ, so that a query is a lane. Softmax then
/// needs no horizontal step, and its weights are already packed for the multiplication with v; only q and the result are transposed.
/// </summary>
// Methods with vector loops are optimised from the first call: an image may be finished before tiered compilation would optimise them.
internal sealed unsafe class AttentionPanel<V> where V : struct, ISimd<V>
{
    private readonly GemmTile tile;
    private readonly AttentionGrid grid;
    private readonly Tensor q, y;
    private readonly float scale;

    public AttentionPanel(OpCall call, AttentionGrid grid, GemmTile tile)
    {
        (this.grid, this.tile, q, y) = (grid, tile, call.Inputs[0], call.Output);
        scale = (float)(((ScaledDotProductAttention)call.Op).Scale ?? 1 / Math.Sqrt(grid.Depth));
    }

    /// <summary>Elements of a panel's packed queries.</summary>
    public nint QueryElements => (nint)grid.Depth * grid.PanelWidth;

    /// <summary>Elements of a panel's results, its largest logits and its sums of weights.</summary>
    public nint ResultElements => (nint)(grid.ValueDepth + 2) * grid.PanelWidth;

    /// <summary>Elements that the logits of some keys need; the finished panel is transposed in the same memory.</summary>
    public nint LogitElements(int keys) => Math.Max((nint)IntegerMath.RoundUp(keys, tile.Rows) * grid.PanelWidth,
        (nint)grid.PanelWidth * IntegerMath.RoundUp(grid.ValueDepth, Packer.RowGroup));

    /// <summary>Packs a panel's queries and clears its results.</summary>
    public void Begin(int batch, int head, int first, float* queries, float* results)
    {
        PackQueries(batch, head, first, queries);
        new Span<float>(Statistics(results), grid.PanelWidth).Fill(OnlineSoftmax.NoLogit);
        new Span<float>(results, (int)(ResultElements - grid.PanelWidth)).Clear();
    }

    /// <summary>A panel's results [channel][query] are followed by its sums of weights and its largest logits.</summary>
    private float* Statistics(float* result) => result + ResultElements - grid.PanelWidth;

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private void PackQueries(int batch, int head, int first, float* target)
    {
        byte** addresses = stackalloc byte*[grid.PanelWidth];
        Find(q, batch * (nint)grid.Queries, first, grid.Queries, head * grid.Depth, grid.PanelWidth, addresses);
        Packer.Float32.Pack(addresses, grid.PanelWidth, 0, grid.Depth, target, grid.PanelWidth);
        V factor = V.Create(scale);
        for (nint i = 0; i < QueryElements; i += V.Count) V.Store(V.Load(target + i) * factor, target + i);
    }

    /// <summary>Turns logits into weights, and brings earlier results to the scale of the new largest logits.</summary>
    public void Weigh(int visible, float* logits, float* result, float* factors)
    {
        float* statistics = Statistics(result);
        if (OnlineSoftmax.Update<V>(visible, logits, statistics, statistics - grid.PanelWidth, factors)) Scale(result, factors);
    }

    /// <summary>A panel's logits, [key][query].</summary>
    [MethodImpl(Jit.Kernel)]
    public void Logits(float* keys, nint keyPitch, int visible, float* queries, float* logits)
    {
        for (int key = 0; key < visible; key += tile.Rows)
            tile.Multiply(grid.Depth, keys + (nint)key * keyPitch, keyPitch, 1, queries, logits + key * grid.PanelWidth, grid.PanelWidth,
                Math.Min(tile.Rows, visible - key), false, null);
    }

    /// <summary>Adds weights times values to a panel's results, [channel][query].</summary>
    public void AddValues(float* values, nint valuePitch, int visible, float* weights, float* result) =>
        AddValues(values, valuePitch, 0, grid.ValueDepth, visible, weights, result);

    /// <summary>The same for channels <paramref name="first"/> … <paramref name="end"/> − 1.</summary>
    [MethodImpl(Jit.Kernel)]
    public void AddValues(float* values, nint valuePitch, int first, int end, int visible, float* weights, float* result)
    {
        for (int channel = first; channel < end; channel += tile.Rows)
        {
            int rows = Math.Min(tile.Rows, end - channel);
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
    public void Finish(int batch, int head, int first, float* result, float* factors, float* scratch)
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
        if (grid.ValueDepth % AttentionGrid.CacheLine == 0)
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
