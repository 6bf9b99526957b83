using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Writes a GEMM's result: y = f(z + bias + e) · scale + r, see <see cref="Epilogue"/>. Which terms exist is known at run time: the
/// branches are uniform over all work items, and taken once per element.
/// </summary>
/// <typeparam name="T">Storage of activations.</typeparam>
/// <typeparam name="E">Their conversion.</typeparam>
/// <typeparam name="B">Storage of the bias.</typeparam>
/// <typeparam name="BE">Its conversion.</typeparam>
/// <typeparam name="TActivation">f.</typeparam>
internal struct GpuGemmEpilogue<T, E, B, BE, TActivation>
    where T : unmanaged where E : struct, IElement<T> where B : unmanaged where BE : struct, IElement<B>
        where TActivation : struct, IActivation
{
    public ArrayView<B> Bias;
    public ArrayView<T> BatchBias, Residual, Y;
    public int Terms, RowsPerEntry, BatchBiasPitch, ResidualPitch, Pitch;
    public float Scale;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GpuGemmEpilogue(
        ArrayView<B> bias, ArrayView<T> batchBias, ArrayView<T> residual, ArrayView<T> y, int terms, int rowsPerEntry, int batchBiasPitch,
        int residualPitch, int yPitch, float scale)
    {
        (Bias, BatchBias, Residual, Y) = (bias, batchBias, residual, y);
        (Terms, RowsPerEntry, Scale) = (terms, rowsPerEntry, scale);
        (BatchBiasPitch, ResidualPitch, Pitch) = (batchBiasPitch, residualPitch, yPitch);
    }

    /// <summary>z + bias of a column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Biased(int column, float z) => (Terms & EpilogueTerms.Bias) != 0 ? z + BE.Widen(Bias[column]) : z;

    /// <summary>Writes an element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Write(int row, int column, float z)
    {
        float value = Biased(column, z);
        if ((Terms & EpilogueTerms.BatchBias) != 0) value += E.Widen(BatchBias[row / RowsPerEntry * BatchBiasPitch + column]);
        value = TActivation.Apply(value) * Scale;
        if ((Terms & EpilogueTerms.Residual) != 0) value += E.Widen(Residual[row * ResidualPitch + column]);
        Y[row * Pitch + column] = E.Narrow(value);
    }

    /// <summary>Writes up to four columns of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Write4<TAccess>(int row, int column, int columns, Float4 z) where TAccess : struct, IAccess
    {
        if (column >= columns) return;
        if (!TAccess.Wide)
        {
            // A loop with selections, so that the epilogue's code is emitted once.
            int count = Math.Min(columns - column, 4);
            for (int i = 0; i < count; i++) Write(row, column + i, z.At(i));
            return;
        }

        Float4 value = z;
        if ((Terms & EpilogueTerms.Bias) != 0) value += BE.Widen4(BE.Fetch4(Bias, column));
        if ((Terms & EpilogueTerms.BatchBias) != 0) value += E.Widen4(E.Fetch4(BatchBias, row / RowsPerEntry * BatchBiasPitch + column));
        value = new(TActivation.Apply(value.X) * Scale, TActivation.Apply(value.Y) * Scale, TActivation.Apply(value.Z) * Scale,
            TActivation.Apply(value.W) * Scale);
        if ((Terms & EpilogueTerms.Residual) != 0) value += E.Widen4(E.Fetch4(Residual, row * ResidualPitch + column));
        E.Store4(Y, row * Pitch + column, value);
    }

    /// <summary>
    /// Writes an element of a gated GEMM: (h + bias) · gelu(g + bias), where g's bias is <paramref name="columns"/> further on.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void WriteGated(int row, int column, int columns, float h, float g) =>
        Y[row * Pitch + column] = E.Narrow(Biased(column, h) * DeviceFunctions.Gelu(Biased(column + columns, g)));

    /// <summary>Writes up to four columns of a gated GEMM's row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void WriteGated4<TAccess>(int row, int column, int columns, Float4 h, Float4 g) where TAccess : struct, IAccess
    {
        if (column >= columns) return;
        if (!TAccess.Wide)
        {
            int count = Math.Min(columns - column, 4);
            for (int i = 0; i < count; i++) WriteGated(row, column + i, columns, h.At(i), g.At(i));
            return;
        }

        if ((Terms & EpilogueTerms.Bias) != 0)
        {
            h += BE.Widen4(BE.Fetch4(Bias, column));
            g += BE.Widen4(BE.Fetch4(Bias, column + columns));
        }

        E.Store4(Y, row * Pitch + column,
            new(h.X * DeviceFunctions.Gelu(g.X), h.Y * DeviceFunctions.Gelu(g.Y), h.Z * DeviceFunctions.Gelu(g.Z),
                h.W * DeviceFunctions.Gelu(g.W)));
    }
}

/// <summary>The terms of an epilogue, as bits.</summary>
internal static class EpilogueTerms
{
    public const int Bias = 1, BatchBias = 2, Residual = 4;
}
