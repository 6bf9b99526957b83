using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Adds the mask and causal masking to a panel of logits, <c>[key][query]</c>.</summary>
internal sealed unsafe class AttentionMask<V> where V : struct, ISimd<V>
{
    private readonly AttentionGrid grid;
    private readonly Tensor? mask;
    private readonly bool causal;
    private readonly int maskBatch, maskHeads, maskQueries;
    private readonly float[] ramp; // masks the first n of a panel's queries when read from Length/2 − n on

    public AttentionMask(AttentionGrid grid, OpCall call)
    {
        (this.grid, mask, causal) = (grid, call.Inputs.Length > 3 ? call.Inputs[3] : null, ((ScaledDotProductAttention)call.Op).Causal);
        ramp = GC.AllocateArray<float>(2 * grid.PanelWidth, pinned: true);
        ramp.AsSpan(0, grid.PanelWidth).Fill(float.NegativeInfinity);
        if (mask is null) return;
        (maskBatch, maskHeads, maskQueries) = (mask.Shape[0], mask.Shape.Rank == 4 ? mask.Shape[1] : 1, mask.Shape[^2]);
        bool fits = (maskBatch == 1 || maskBatch == grid.Batch) && (maskHeads == 1 || maskHeads == grid.Heads)
            && (maskQueries == 1 || maskQueries == grid.Queries) && mask.Width == grid.Keys;
        ShapeException.ThrowUnless(fits, "attention", "mask", mask,
            $"[{grid.Batch} or 1, ({grid.Heads} or 1,) {grid.Queries} or 1, {grid.Keys}]");
    }

    /// <summary>Scratch elements per panel.</summary>
    public int ScratchElements => maskQueries > 1 ? grid.KeysPerBlock * grid.PanelWidth + Packer.Overrun : 0;

    /// <summary>Number of keys from <paramref name="firstKey"/> on that any of the panel's queries attends to.</summary>
    public int VisibleKeys(int firstQuery, int firstKey, int keys) =>
        causal ? Math.Clamp(firstQuery + grid.PanelWidth - firstKey, 0, keys) : keys;

    public void Add(int batch, int head, int firstQuery, int firstKey, int keys, float* logits, float* scratch)
    {
        if (mask is not null)
        {
            nint row = ((nint)(maskBatch == 1 ? 0 : batch) * maskHeads + (maskHeads == 1 ? 0 : head)) * maskQueries;
            float* values = mask.Pointer<float>() + row * mask.RowPitch + (maskQueries == 1 ? firstKey : 0);
            if (maskQueries == 1) AddPerKey(keys, values, logits);
            else AddPerQuery(firstQuery, firstKey, keys, values, logits, scratch);
        }

        if (causal) HideLaterKeys(firstQuery, firstKey, keys, logits);
    }

    [MethodImpl(Jit.Kernel)]
    private void AddPerKey(int keys, float* values, float* logits)
    {
        for (int key = 0; key < keys; key++)
        {
            V value = V.Create(values[key]);
            for (int i = 0; i < grid.PanelWidth; i += V.Count, logits += V.Count) V.Store(V.Load(logits) + value, logits);
        }
    }

    [MethodImpl(Jit.Kernel)]
    private void AddPerQuery(int firstQuery, int firstKey, int keys, float* values, float* logits, float* scratch)
    {
        byte** addresses = stackalloc byte*[grid.PanelWidth];
        for (int i = 0; i < grid.PanelWidth; i++)
            addresses[i] = (byte*)(values + (nint)Math.Min(firstQuery + i, grid.Queries - 1) * mask!.RowPitch);
        Packer.Float32.Pack(addresses, grid.PanelWidth, firstKey, keys, scratch, grid.PanelWidth);
        for (int i = 0; i < keys * grid.PanelWidth; i += V.Count) V.Store(V.Load(logits + i) + V.Load(scratch + i), logits + i);
    }

    [MethodImpl(Jit.Kernel)]
    private void HideLaterKeys(int firstQuery, int firstKey, int keys, float* logits)
    {
        fixed (float* start = ramp)
        {
            for (int key = Math.Max(0, firstQuery + 1 - firstKey); key < keys; key++)
            {
                // Lane i is query firstQuery + i: queries before the key must not attend to it.
                float* hidden = start + grid.PanelWidth - Math.Min(firstKey + key - firstQuery, grid.PanelWidth),
                    row = logits + key * grid.PanelWidth;
                for (int i = 0; i < grid.PanelWidth; i += V.Count) V.Store(V.Load(row + i) + V.Load(hidden + i), row + i);
            }
        }
    }
}
