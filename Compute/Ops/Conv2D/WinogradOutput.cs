using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Transforms a panel's GEMM results back, adds the bias, and writes the part of the tiles' 4×4 pixels that is inside the image, with the
/// epilogue applied.
/// </summary>
internal sealed unsafe class WinogradOutput<V>(Tensor y, Tensor? bias, TileEpilogue? epilogue, WinogradGrid grid) where V : struct, ISimd<V>
{
    private const int Side = WinogradGrid.TileSide;
    private readonly Packer? biasPacker = bias is null ? null : Packer.For(bias.DType);
    private readonly int height = y.Shape[1], width = y.Shape[2];
    private readonly nint pitch = y.RowPitch;
    private readonly nint residualPitch = epilogue?.ResidualPitch ?? 0;
    private readonly bool addsEarly = epilogue is { OnlyAdds: true }; // while the results are in registers

    private static int Columns => 2 * V.Count;

    /// <summary>Widens the bias of a panel; zeros if there is no bias.</summary>
    public void Bias(int column, int columns, float* target)
    {
        new Span<float>(target, Columns).Clear();
        if (bias is not null) biasPacker!.Widen(bias.Pointer<byte>() + (nint)column * bias.DType.Size(), target, columns);
    }

    /// <summary>Transforms one tile.</summary>
    /// <param name="tile">Index of the tile, counted over all images.</param>
    /// <param name="column">First result channel.</param>
    /// <param name="columns">Number of result channels.</param>
    /// <param name="gemmResults">The tile's GEMM result at the first position.</param>
    /// <param name="positionPitch">Elements from one position to the next.</param>
    /// <param name="panelBias">One value per result channel of a whole panel.</param>
    [SkipLocalsInit]
    public void Transform(int tile, int column, int columns, float* gemmResults, nint positionPitch, float* panelBias)
    {
        var (pixel, rows, across) = Place(tile);
        float* target = y.Pointer<float>() + pixel * pitch + column;
        if (columns == Columns)
        {
            PrefetchNext(tile + 1, column);
            if (addsEarly)
                TransformTile(gemmResults, positionPitch, panelBias, epilogue!.Added(pixel, column), epilogue.Residual(pixel, column),
                    residualPitch, width, target, pitch, rows, across);
            else TransformTile(gemmResults, positionPitch, panelBias, null, null, 0, width, target, pitch, rows, across);
            if (epilogue is null || addsEarly) return;
        }
        else
        {
            // The last, narrower panel goes through a buffer: whole registers are written and must not write beyond y's columns.
            float* whole = stackalloc float[Side * Side * Columns];
            TransformTile(gemmResults, positionPitch, panelBias, null, null, 0, Side, whole, Columns, rows, across);
            for (int i = 0; i < rows * across; i++)
                new ReadOnlySpan<float>(whole + (i / across * Side + i % across) * Columns,
                    columns).CopyTo(new Span<float>(target + (i / across * width + i % across) * pitch, columns));
        }

        for (int i = 0; i < rows; i++) epilogue?.Apply(pixel + i * width, across, column, columns);
    }

    /// <summary>A tile's first pixel, and its lines and columns inside the image.</summary>
    private (int Pixel, int Rows, int Across) Place(int tile)
    {
        int left = tile % grid.TilesAcross * Side, row = tile / grid.TilesAcross;
        int top = row % grid.TilesDown * Side, n = row / grid.TilesDown;
        return ((n * height + top) * width + left, Math.Min(Side, height - top), Math.Min(Side, width - left));
    }

    /// <summary>Aᵀ m A; each lane is a result channel.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private static void TransformTile(float* gemmResults, nint positionPitch, float* bias, float* e, float* r, nint rPitch, nint width,
        float* target, nint pitch, int rows, int across)
    {
        const int Patch = WinogradGrid.PatchSide;
        float* memory = stackalloc float[(Patch * Side + 1) * WinogradTransforms.MostLanes], lines = WinogradTransforms.Align(memory);
        for (nint c = 0; c < Columns; c += V.Count)
        {
            for (int x = 0; x < Patch; x++)
            {
                float* m = gemmResults + c + x * positionPitch, to = lines + x * V.Count;
                nint next = Patch * positionPitch;
                WinogradTransforms.Output(V.Load(m), V.Load(m + next), V.Load(m + 2 * next), V.Load(m + 3 * next), V.Load(m + 4 * next),
                    V.Load(m + 5 * next),
                    out V y0, out V y1, out V y2, out V y3);
                V.Store(y0, to);
                V.Store(y1, to + Patch * V.Count);
                V.Store(y2, to + 2 * Patch * V.Count);
                V.Store(y3, to + 3 * Patch * V.Count);
            }

            V b = V.Load(bias + c);
            for (int i = 0; i < rows; i++)
            {
                float* line = lines + i * Patch * V.Count, to = target + i * width * pitch + c;
                WinogradTransforms.Output(V.Load(line), V.Load(line + V.Count), V.Load(line + 2 * V.Count), V.Load(line + 3 * V.Count),
                    V.Load(line + 4 * V.Count), V.Load(line + 5 * V.Count),
                    out V y0, out V y1, out V y2, out V y3);
                (y0, y1, y2, y3) = (y0 + b, y1 + b, y2 + b, y3 + b);
                if (e is not null)
                {
                    V added = V.Load(e + c);
                    (y0, y1, y2, y3) = (y0 + added, y1 + added, y2 + added, y3 + added);
                }

                if (r is not null)
                {
                    float* residual = r + i * width * rPitch + c;
                    y0 += V.Load(residual);
                    if (across > 1) y1 += V.Load(residual + rPitch);
                    if (across > 2) y2 += V.Load(residual + 2 * rPitch);
                    if (across > 3) y3 += V.Load(residual + 3 * rPitch);
                }

                V.Store(y0, to);
                if (across > 1) V.Store(y1, to + pitch);
                if (across > 2) V.Store(y2, to + 2 * pitch);
                if (across > 3) V.Store(y3, to + 3 * pitch);
            }
        }
    }

    /// <summary>
    /// Prefetches the pixels that the next tile writes, and reads of the residual: they are too far apart for hardware prefetchers.
    /// </summary>
    private void PrefetchNext(int tile, int column)
    {
        if (!Sse.IsSupported || tile >= grid.Tiles) return;
        var (pixel, rows, across) = Place(tile);
        Prefetch(y.Pointer<float>() + pixel * pitch + column, width * pitch, pitch, rows, across);
        if (addsEarly && residualPitch > 0) Prefetch(epilogue!.Residual(pixel, column), width * residualPitch, residualPitch, rows, across);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float* pixel, nint linePitch, nint pitch, int rows, int across)
    {
        const int CacheLine = 16;
        for (int y = 0; y < rows; y++)
        {
            for (int x = 0; x < across; x++)
            {
                for (nint c = 0; c < Columns; c += CacheLine) Sse.Prefetch0(pixel + y * linePitch + x * pitch + c);
            }
        }
    }
}
