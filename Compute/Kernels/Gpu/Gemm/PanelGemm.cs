using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// GEMM of OpenCL CPU devices, without barriers: a work item computes 6 × 16 results from packed panels, in twelve vector registers of
/// eight floats. With arrays and inner loops instead of <see cref="Float8"/>, drivers' compilers reach between 2 and 50 GFLOP/s, depending
/// on small changes of the source.
/// </summary>
internal static class PanelGemm
{
    public const int Rows = 6, Columns = 16, Half = 8;
    private const int BlockDepth = 256;

    /// <summary>
    /// Packs rows of x, or im2col rows of an image, into float32 panels [rows / 6][positions][depth][6]. One work item per row and kernel
    /// position.
    /// </summary>
    internal static void PackRows<T, E>(ArrayView<T> x, ArrayView<float> panels, int firstRow, int rows, int packedRows, int depth,
        int xPitch)
        where T : unmanaged where E : struct, IElement<T>
    {
        int row = Grid.IdxX * Group.DimX + Group.IdxX;
        if (row >= packedRows) return;
        int source = Math.Min(firstRow + row, rows - 1) * xPitch, target = row / Rows * Rows * depth + row % Rows;
        for (int k = 0; k < depth; k++) panels[target + k * Rows] = E.Widen(x[source + k]);
    }

    /// <summary>As <see cref="PackRows"/>, for the im2col rows of an image.</summary>
    internal static void PackImage<T, E>(
        ArrayView<T> x, ArrayView<float> panels, int firstRow, int rows, int packedRows, int depth, int xPitch,
        int positions, int height, int width, int seenHeight, int seenWidth, int resultHeight, int resultWidth, int filterWidth, int stride,
            int padding, float rowRatio, float columnRatio)
        where T : unmanaged where E : struct, IElement<T>
    {
        int item = Grid.IdxX * Group.DimX + Group.IdxX, row = item / positions, position = item % positions;
        if (row >= packedRows) return;
        var image = new ImageRows(xPitch, height, width, seenHeight, seenWidth, resultHeight, resultWidth, filterWidth, stride, padding,
            rowRatio, columnRatio);
        int source = image.Offset(Math.Min(firstRow + row, rows - 1), position),
            target = (row / Rows * positions + position) * Rows * depth + row % Rows;
        // A panel's next kernel position begins where the current one ends.
        if (source < 0) for (int k = 0; k < depth; k++) panels[target + k * Rows] = 0f;
        else for (int k = 0; k < depth; k++) panels[target + k * Rows] = E.Widen(x[source + k]);
    }

    /// <summary>
    /// Packs weights [n, depth, positions] or [n, positions, depth], as the pitches of positions and channels say, into float32 panels
    /// [n / 16][positions][depth][16]; in a gated GEMM, eight columns of the value alternate with eight of the gate. One work item per
    /// column.
    /// </summary>
    internal static void PackWeights<W, WE>(ArrayView<W> w, ArrayView<float> panels, int columns, int packedColumns, int depth,
        int positions, int positionStep, int placeStep, int gated)
        where W : unmanaged where WE : struct, IElement<W>
    {
        int column = Grid.IdxX * Group.DimX + Group.IdxX;
        if (column >= packedColumns) return;
        int panel = column / Columns, lane = column % Columns;
        int row = gated == 0 ? Math.Min(column, columns - 1)
            : lane < Half ? Math.Min(panel * Half + lane, columns - 1)
            : columns + Math.Min(panel * Half + lane - Half, columns - 1);
        int target = panel * Columns * depth * positions + lane, source = row * depth * positions;
        for (int position = 0; position < positions; position++)
            for (int k = 0; k < depth; k++)
                panels[target + (position * depth + k) * Columns] = WE.Widen(w[source + k * placeStep + position * positionStep]);
    }

    /// <summary>
    /// y from panels. Groups: X over row panels, Y over column panels; a column panel stays in the L1 cache while all packed rows are
    /// multiplied with it.
    /// </summary>
    /// <remarks>Summed over blocks of K first, then over the blocks: the error grows with the longest chain of additions.</remarks>
    internal static void Multiply<T, E, B, BE, TActivation>(
        ArrayView<float> a, ArrayView<Float8> b, ArrayView<B> bias, ArrayView<T> batchBias, ArrayView<T> residual, ArrayView<T> y,
        int firstRow, int rows, int columns, int depth, int gated,
        int terms, int rowsPerEntry, int batchBiasPitch, int residualPitch, int yPitch, float scale)
        where T : unmanaged where E : struct, IElement<T> where B : unmanaged where BE : struct, IElement<B>
            where TActivation : struct, IActivation
    {
        Float8 t0l = default, t0h = default, t1l = default, t1h = default, t2l = default, t2h = default, t3l = default, t3h = default,
            t4l = default, t4h = default, t5l = default, t5h = default;
        int left = Grid.IdxX * Rows * depth, right = Grid.IdxY * 2 * depth;
        for (int start = 0; start < depth; start += BlockDepth)
        {
            Float8 s0l = default, s0h = default, s1l = default, s1h = default, s2l = default, s2h = default, s3l = default, s3h = default,
                s4l = default, s4h = default, s5l = default, s5h = default;
            int end = Math.Min(start + BlockDepth, depth);
            for (int k = start; k < end; k++)
            {
                Float8 low = b[right + 2 * k], high = b[right + 2 * k + 1];
                int at = left + k * Rows;
                float a0 = a[at];
                s0l = Float8.MultiplyAdd(a0, low, s0l);
                s0h = Float8.MultiplyAdd(a0, high, s0h);
                float a1 = a[at + 1];
                s1l = Float8.MultiplyAdd(a1, low, s1l);
                s1h = Float8.MultiplyAdd(a1, high, s1h);
                float a2 = a[at + 2];
                s2l = Float8.MultiplyAdd(a2, low, s2l);
                s2h = Float8.MultiplyAdd(a2, high, s2h);
                float a3 = a[at + 3];
                s3l = Float8.MultiplyAdd(a3, low, s3l);
                s3h = Float8.MultiplyAdd(a3, high, s3h);
                float a4 = a[at + 4];
                s4l = Float8.MultiplyAdd(a4, low, s4l);
                s4h = Float8.MultiplyAdd(a4, high, s4h);
                float a5 = a[at + 5];
                s5l = Float8.MultiplyAdd(a5, low, s5l);
                s5h = Float8.MultiplyAdd(a5, high, s5h);
            }

            t0l = Float8.MultiplyAdd(1f, s0l, t0l);
            t0h = Float8.MultiplyAdd(1f, s0h, t0h);
            t1l = Float8.MultiplyAdd(1f, s1l, t1l);
            t1h = Float8.MultiplyAdd(1f, s1h, t1h);
            t2l = Float8.MultiplyAdd(1f, s2l, t2l);
            t2h = Float8.MultiplyAdd(1f, s2h, t2h);
            t3l = Float8.MultiplyAdd(1f, s3l, t3l);
            t3h = Float8.MultiplyAdd(1f, s3h, t3h);
            t4l = Float8.MultiplyAdd(1f, s4l, t4l);
            t4h = Float8.MultiplyAdd(1f, s4h, t4h);
            t5l = Float8.MultiplyAdd(1f, s5l, t5l);
            t5h = Float8.MultiplyAdd(1f, s5h, t5h);
        }

        var sums = new float[Rows * Columns];
        Store(sums, 0 * Columns, t0l);
        Store(sums, 0 * Columns + Half, t0h);
        Store(sums, 1 * Columns, t1l);
        Store(sums, 1 * Columns + Half, t1h);
        Store(sums, 2 * Columns, t2l);
        Store(sums, 2 * Columns + Half, t2h);
        Store(sums, 3 * Columns, t3l);
        Store(sums, 3 * Columns + Half, t3h);
        Store(sums, 4 * Columns, t4l);
        Store(sums, 4 * Columns + Half, t4h);
        Store(sums, 5 * Columns, t5l);
        Store(sums, 5 * Columns + Half, t5h);
        var finish = new GpuGemmEpilogue<T, E, B, BE, TActivation>(bias, batchBias, residual, y, terms, rowsPerEntry, batchBiasPitch,
            residualPitch, yPitch, scale);
        int row0 = firstRow + Grid.IdxX * Rows, column0 = Grid.IdxY * (gated != 0 ? Half : Columns);
        for (int i = 0; i < Rows; i++)
        {
            if (row0 + i >= rows) continue;
            if (gated == 0)
                for (int j = 0; j < Columns && column0 + j < columns; j++) finish.Write(row0 + i, column0 + j, sums[i * Columns + j]);
            else
                for (int j = 0; j < Half && column0 + j < columns; j++)
                    finish.WriteGated(row0 + i, column0 + j, columns, sums[i * Columns + j], sums[i * Columns + Half + j]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float[] target, int at, Float8 value)
    {
        target[at] = value.A;
        target[at + 1] = value.B;
        target[at + 2] = value.C;
        target[at + 3] = value.D;
        target[at + 4] = value.E;
        target[at + 5] = value.F;
        target[at + 6] = value.G;
        target[at + 7] = value.H;
    }
}
