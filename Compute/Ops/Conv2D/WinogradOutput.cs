using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ILGpuDiffusion.Compute;

/// <summary>Transforms a panel's products back, adds the bias, writes the tiles' 4×4 pixels as far as they lie inside the image, and applies the epilogue to them.</summary>
internal sealed unsafe class WinogradOutput<V>(Tensor y, Tensor? bias, TileEpilogue? epilogue, WinogradGrid grid) where V : struct, ISimd<V>
{
    private readonly Packer? biasPacker = bias is null ? null : Packer.For(bias.DType);
    private readonly int height = y.Shape[1], width = y.Shape[2];
    private readonly nint pitch = y.RowPitch;

    /// <summary>Widens the bias of a panel; zeros without one.</summary>
    public void Bias(int column, int columns, float* target)
    {
        if (bias is null) new Span<float>(target, columns).Clear();
        else biasPacker!.Widen(bias.Pointer<byte>() + (nint)column * bias.DType.Size(), target, columns);
    }

    /// <summary>Transforms one tile.</summary>
    /// <param name="tile">Which, counted over all images.</param>
    /// <param name="column">First result channel.</param>
    /// <param name="columns">Number of result channels.</param>
    /// <param name="products">The tile's products at the first position.</param>
    /// <param name="positionPitch">Elements from one position to the next.</param>
    /// <param name="panelBias">One value per result channel.</param>
    public void Transform(int tile, int column, int columns, float* products, nint positionPitch, float* panelBias)
    {
        int left = tile % grid.TilesAcross * WinogradGrid.TileSide, row = tile / grid.TilesAcross;
        int top = row % grid.TilesDown * WinogradGrid.TileSide, n = row / grid.TilesDown;
        int pixel = (n * height + top) * width + left;
        float* target = y.Pointer<float>() + pixel * pitch + column;
        int rows = Math.Min(WinogradGrid.TileSide, height - top), across = Math.Min(WinogradGrid.TileSide, width - left);
        TransformTile(products, positionPitch, panelBias, target, width * pitch, pitch, rows, across, columns);
        if (epilogue is null) return;
        for (int i = 0; i < rows; i++) epilogue.Apply(pixel + i * width, across, column, columns);
    }

    /// <summary>Aᵀ m A; each lane is a result channel.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private static void TransformTile(float* products, nint positionPitch, float* bias, float* target, nint linePitch, nint pitch, int rows, int across, int columns)
    {
        const int Side = WinogradGrid.PatchSide;
        float* memory = stackalloc float[(Side * WinogradGrid.TileSide + 1) * WinogradTransforms.MostLanes], lines = WinogradTransforms.Align(memory);
        Prefetch(target, linePitch, pitch, rows, across, columns);
        for (int c = 0; c < columns; c += V.Count)
        {
            for (int x = 0; x < Side; x++)
            {
                float* m = products + c + x * positionPitch, to = lines + x * V.Count;
                nint next = Side * positionPitch;
                WinogradTransforms.Output(V.Load(m), V.Load(m + next), V.Load(m + 2 * next), V.Load(m + 3 * next), V.Load(m + 4 * next), V.Load(m + 5 * next),
                    out V y0, out V y1, out V y2, out V y3);
                V.Store(y0, to);
                V.Store(y1, to + Side * V.Count);
                V.Store(y2, to + 2 * Side * V.Count);
                V.Store(y3, to + 3 * Side * V.Count);
            }

            int lanes = columns - c;
            V b = Load(bias + c, lanes);
            for (int i = 0; i < rows; i++)
            {
                float* line = lines + i * Side * V.Count, to = target + i * linePitch + c;
                WinogradTransforms.Output(V.Load(line), V.Load(line + V.Count), V.Load(line + 2 * V.Count), V.Load(line + 3 * V.Count), V.Load(line + 4 * V.Count), V.Load(line + 5 * V.Count),
                    out V y0, out V y1, out V y2, out V y3);
                Store(y0 + b, to, lanes);
                if (across > 1) Store(y1 + b, to + pitch, lanes);
                if (across > 2) Store(y2 + b, to + 2 * pitch, lanes);
                if (across > 3) Store(y3 + b, to + 3 * pitch, lanes);
            }
        }
    }

    /// <summary>The pixels to be written lie far apart: fetching them while the first transforms run hides their latency.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float* target, nint linePitch, nint pitch, int rows, int across, int columns)
    {
        const int CacheLine = 16;
        if (!Sse.IsSupported) return;
        for (int y = 0; y < rows; y++)
        {
            for (int x = 0; x < across; x++)
            {
                for (int c = 0; c < columns; c += CacheLine) Sse.Prefetch0(target + y * linePitch + x * pitch + c);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Load(float* source, int lanes) => lanes >= V.Count ? V.Load(source) : Simd.LoadPartial<V>(source, lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(V value, float* target, int lanes)
    {
        if (lanes >= V.Count) V.Store(value, target);
        else Simd.StorePartial(value, target, lanes);
    }
}
