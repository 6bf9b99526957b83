using System.Runtime.Intrinsics;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Every bit pattern of the 16-bit floats, at every register width of this processor.</summary>
public sealed unsafe class WideningTests
{
    private const int Patterns = 65536;

    [Fact]
    public void Float16_EveryPattern_WidensExactly() => Verify<StoredFloat16>(bits => (float)BitConverter.UInt16BitsToHalf(bits));

    [Fact]
    public void BFloat16_EveryPattern_WidensExactly() => Verify<StoredBFloat16>(BFloat16Bits.Widen);

    private static void Verify<TStored>(Func<ushort, float> expected) where TStored : struct, IStoredFloat
    {
        Verify<Simd128, TStored>(expected);
        if (Vector256.IsHardwareAccelerated) Verify<Simd256, TStored>(expected);
        if (Vector512.IsHardwareAccelerated) Verify<Simd512, TStored>(expected);
    }

    private static void Verify<V, TStored>(Func<ushort, float> expected) where V : struct, ISimd<V> where TStored : struct, IStoredFloat
    {
        ushort[] bits = [.. Enumerable.Range(0, Patterns).Select(i => (ushort)i)];
        float[] widened = new float[Patterns];
        fixed (ushort* source = bits)
        fixed (float* target = widened)
        {
            for (int i = 0; i < Patterns; i += V.Count) V.Store(TStored.Load<V>((byte*)(source + i)), target + i);
            for (int i = 0; i < Patterns; i++)
            {
                float value = expected(bits[i]);
                bool same = float.IsNaN(value) ? float.IsNaN(widened[i])
                    : BitConverter.SingleToInt32Bits(value) == BitConverter.SingleToInt32Bits(widened[i]);
                Assert.True(same, $"{typeof(TStored).Name}, {V.Count} lanes: 0x{i:X4} became {widened[i]:G9}; it is {value:G9}.");
                Assert.Equal(value, TStored.Read((byte*)(source + i)));
            }
        }
    }
}
