using System.Runtime.Intrinsics;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Quantised rows against exact divisions, at every register width of this processor: halves, which one wrong bit of a quotient would round
/// in the other direction, and scales near both ends of float32.
/// </summary>
public sealed unsafe class RowQuantizerTests
{
    private const int Count = 1000 + 13;

    [Theory]
    [InlineData(1f), InlineData(0.1f), InlineData(3.7e5f), InlineData(1e-30f), InlineData(3e-40f), InlineData(1e30f)]
    public void Rows_OfAnyMagnitude_RoundAsTrueQuotients(float magnitude)
    {
        Verify<Simd128>(magnitude);
        if (Vector256.IsHardwareAccelerated) Verify<Simd256>(magnitude);
        if (Vector512.IsHardwareAccelerated) Verify<Simd512>(magnitude);
    }

    private static void Verify<V>(float magnitude) where V : struct, ISimd<V>
    {
        // Multiples of half the scale and their neighbours.
        float unit = magnitude / 127f;
        float[] x = [.. Enumerable.Range(0, Count).Select(i => (i % 255 - 127) * 0.5f * unit)
            .Select((v, i) => (i / 255) switch { 1 => MathF.BitIncrement(v), 2 => MathF.BitDecrement(v), 3 => v * 1.37f, _ => v })];
        x[17] = -magnitude;
        byte[] bytes = new byte[Count];
        ushort[] words = new ushort[Count];
        fixed (float* source = x)
        fixed (byte* pb = bytes)
        fixed (ushort* pw = words)
        {
            float scale = RowQuantizer<V>.Scale(source, Count), largest = x.Max(MathF.Abs) / 127f;
            Assert.Equal(largest == 0 ? 1 : largest, scale);
            float sum = RowQuantizer<V>.ToInt8(source, Count, scale, pb);
            RowQuantizer<V>.ToInt16(source, Count, scale, pw);
            Assert.Equal(bytes.Sum(b => (sbyte)b), sum);
            for (int i = 0; i < Count; i++)
            {
                float expected = Math.Clamp(MathF.Round(x[i] / scale), -127, 127);
                Assert.True(expected == (sbyte)bytes[i] && expected == (short)words[i],
                    $"{typeof(V).Name}: {x[i]:G9} / {scale:G9} became {(sbyte)bytes[i]} and {(short)words[i]}; it must be {expected}.");
            }
        }
    }
}
