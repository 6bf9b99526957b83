using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Every register tile that this processor can run, including those that it would not choose, with integers small enough to be exact in any
/// of them.
/// </summary>
public sealed unsafe class GemmTileTests
{
    private const float Untouched = 77;

    [Fact]
    public void FloatTiles_EveryRowCountStartAndBias_MatchDefinition()
    {
        Verify(new GemmTile6<Simd128>());
        Verify(new GemmTile12<Simd128>());
        if (Vector256.IsHardwareAccelerated) Verify(new GemmTile6<Simd256>());
        if (Vector256.IsHardwareAccelerated) Verify(new GemmTile12<Simd256>());
        if (Vector512.IsHardwareAccelerated) Verify(new GemmTile12<Simd512>());
    }

    [Fact]
    public void FloatTiles_RowsInPlace_AreThoseOfPackedRows()
    {
        VerifyInPlace(new GemmTile6<Simd128>());
        VerifyInPlace(new GemmTile12<Simd128>());
        if (Vector256.IsHardwareAccelerated) VerifyInPlace(new GemmTile6<Simd256>());
        if (Vector512.IsHardwareAccelerated) VerifyInPlace(new GemmTile12<Simd512>());
    }

    [Fact]
    public void IntegerTiles_LargestValues_SumExactly()
    {
        VerifyIntegers(new IntegerTile6<Int16Dot128>(), perLane: 2, unsigned: false);
        if (Vector256.IsHardwareAccelerated) VerifyIntegers(new IntegerTile6<Int16Dot256>(), perLane: 2, unsigned: false);
        if (Vector512.IsHardwareAccelerated) VerifyIntegers(new IntegerTile12<Int16Dot512>(), perLane: 2, unsigned: false);
        if (AvxVnni.IsSupported) VerifyIntegers(new IntegerTile6<UInt8Dot256>(), perLane: 4, unsigned: true);
        if (Dp.IsSupported) VerifyIntegers(new IntegerTile12<Int8Dot128>(), perLane: 4, unsigned: false);
    }

    private static void Verify(GemmTile tile)
    {
        const int Depth = 7;
        int pitch = tile.Columns + 3;
        float[] a = [.. Enumerable.Range(0, Depth * tile.Rows).Select(i => (float)(i % 11 - 5))],
            b = [.. Enumerable.Range(0, Depth * tile.Columns).Select(i => (float)(i % 7 - 3))];
        float[] bias = [.. Enumerable.Range(0, tile.Columns).Select(i => (float)i)];
        for (int rows = 1; rows <= tile.Rows; rows++)
        {
            foreach (var (accumulate, biased) in new[] { (false, false), (false, true), (true, false) })
            {
                float[] c = new float[tile.Rows * pitch];
                c.AsSpan().Fill(Untouched);
                fixed (float* pa = a, pb = b, pc = c, bp = bias)
                    tile.Multiply(Depth, pa, 1, tile.Rows, pb, pc, pitch, rows, accumulate, biased ? bp : null);
                for (int i = 0; i < c.Length; i++)
                {
                    int row = i / pitch, column = i % pitch;
                    float expected = Untouched;
                    if (row < rows && column < tile.Columns)
                    {
                        expected = (accumulate ? Untouched : 0) + (biased ? column : 0);
                        for (int k = 0; k < Depth; k++) expected += a[k * tile.Rows + row] * b[k * tile.Columns + column];
                    }

                    Assert.True(expected == c[i],
                        $"{tile.GetType()}: row {row} of {rows}, column {column}, accumulate {accumulate}, bias {biased}: {c[i]}; it must "
                            + $"be {expected}.");
                }
            }
        }
    }

    private static void VerifyInPlace(GemmTile tile)
    {
        const int Depth = 9, RowPitch = Depth + 2;
        float[] inPlace = [.. Enumerable.Range(0, tile.Rows * RowPitch).Select(i => (float)(i % 11 - 5))],
            b = [.. Enumerable.Range(0, Depth * tile.Columns).Select(i => (float)(i % 7 - 3))];
        float[] packed = [.. Enumerable.Range(0, Depth * tile.Rows).Select(i => inPlace[i % tile.Rows * RowPitch + i / tile.Rows])];
        for (int rows = 1; rows <= tile.Rows; rows++)
        {
            float[] expected = new float[tile.Rows * tile.Columns], c = new float[expected.Length];
            fixed (float* pa = inPlace, pp = packed, pb = b, pe = expected, pc = c)
            {
                tile.Multiply(Depth, pp, 1, tile.Rows, pb, pe, tile.Columns, rows, false, null);
                tile.Multiply(Depth, pa, RowPitch, 1, pb, pc, tile.Columns, rows, false, null);
            }

            Assert.True(expected.AsSpan().SequenceEqual(c), $"{tile.GetType()}: {rows} rows in place give other results than packed ones.");
        }
    }

    private static void VerifyIntegers(IntegerTile tile, int perLane, bool unsigned)
    {
        const int Lanes = 5, RowPitch = Lanes + 2;
        int pitch = tile.Columns + 3;
        int[] a = [.. Enumerable.Range(0, tile.Rows * RowPitch * perLane).Select(i => 127 - i % 255)];
        int[] b = [.. Enumerable.Range(0, Lanes * tile.Columns * perLane)
            .Select(i => unsigned ? 255 - i % 3 : i % 2 == 0 ? 127 : -127 + i % 5)];
        int[] packedA = Pack(a, perLane), packedB = Pack(b, perLane), offsets = [.. Enumerable.Range(0, tile.Rows).Select(r => 1000 * r)];
        float[] rowScales = [.. Enumerable.Range(0, tile.Rows).Select(r => 1f / (r + 1))],
            scales = [.. Enumerable.Range(0, tile.Columns).Select(c => 1 + c / 3f)],
                bias = [.. Enumerable.Range(0, tile.Columns).Select(c => c / 7f)];
        for (int rows = 1; rows <= tile.Rows; rows++)
        {
            foreach (bool biased in new[] { false, true })
            {
                float[] y = new float[tile.Rows * pitch];
                y.AsSpan().Fill(Untouched);
                fixed (int* pa = packedA, pb = packedB, po = offsets)
                fixed (float* py = y, pr = rowScales, ps = scales, bp = bias)
                    tile.Multiply(Lanes, pa, RowPitch, pb, rows, new ScaledTile(py, pitch, po, pr, ps, biased ? bp : null));
                for (int i = 0; i < y.Length; i++)
                {
                    int row = i / pitch, column = i % pitch, sum = 0;
                    for (int k = 0; row < rows && column < tile.Columns && k < Lanes * perLane; k++)
                        sum += a[row * RowPitch * perLane + k] * b[((k / perLane * tile.Columns) + column) * perLane + k % perLane];
                    float expected = row < rows && column < tile.Columns
                        ? (float)(sum - offsets[row]) * rowScales[row] * scales[column] + (biased ? bias[column] : 0) : Untouched;
                    Assert.True(expected == y[i],
                        $"{tile.GetType()}: row {row} of {rows}, column {column}, bias {biased}: {y[i]}; it must be {expected}.");
                }
            }
        }
    }

    /// <summary>Neighbouring integers in one lane, the first lowest.</summary>
    private static int[] Pack(int[] values, int perLane)
    {
        int bits = 32 / perLane, mask = (int)((1L << bits) - 1);
        return [.. values.Chunk(perLane).Select(lane => lane.Select((v, i) => (v & mask) << (i * bits)).Aggregate((x, y) => x | y))];
    }
}
