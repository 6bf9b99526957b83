using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ILGpuDiffusion.Compute;

/// <summary>Quantises one row: what Quantize and QuantizedMatMul share.</summary>
internal static unsafe class RowQuantizer<V> where V : struct, ISimd<V>
{
    private const int Chunk = 64; // floats that pass through a small buffer between the two halves of the work
    private const float IntegerBits = 12582912f; // 1.5 · 2²³: after adding it, a float's lowest bits are the integer's

    /// <summary>max|x| / 127, or 1 where that is 0.</summary>
    [MethodImpl(Jit.Kernel)]
    public static float Scale(float* x, int count)
    {
        V largest = V.Create(0);
        int i = 0;
        for (; i <= count - V.Count; i += V.Count) largest = V.Max(V.Abs(V.Load(x + i)), largest);
        float max = V.Max(largest);
        for (; i < count; i++) max = MathF.Max(max, MathF.Abs(x[i]));
        float scale = max / 127f;
        return scale == 0 ? 1 : scale;
    }

    /// <summary>Writes round(x / scale) as int8.</summary>
    /// <returns>The sum of what was written; exact up to 131072 elements.</returns>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    public static float ToInt8(float* x, int count, float scale, byte* target)
    {
        float sum = 0;
        uint* bits = stackalloc uint[Chunk];
        for (int start = 0; start < count; start += Chunk)
        {
            int length = Math.Min(Chunk, count - start), i = 0;
            sum += Round(x + start, length, scale, (float*)bits);
            for (; i <= length - 16; i += 16)
            {
                var low = Vector128.Narrow(Vector128.Load(bits + i), Vector128.Load(bits + i + 4));
                var high = Vector128.Narrow(Vector128.Load(bits + i + 8), Vector128.Load(bits + i + 12));
                Vector128.Narrow(low, high).Store(target + start + i);
            }

            for (; i < length; i++) target[start + i] = (byte)bits[i];
        }

        return sum;
    }

    /// <summary>Writes round(x / scale) as int16.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    public static void ToInt16(float* x, int count, float scale, ushort* target)
    {
        uint* bits = stackalloc uint[Chunk];
        for (int start = 0; start < count; start += Chunk)
        {
            int length = Math.Min(Chunk, count - start), i = 0;
            Round(x + start, length, scale, (float*)bits);
            for (; i <= length - 8; i += 8) Vector128.Narrow(Vector128.Load(bits + i), Vector128.Load(bits + i + 4)).Store(target + start + i);
            for (; i < length; i++) target[start + i] = (ushort)bits[i];
        }
    }

    // A true division: multiplying with the reciprocal would round some halves the other way. Sums are of integers below 2²⁴: exact in any order.
    [MethodImpl(Jit.Kernel)]
    private static float Round(float* x, int count, float scale, float* bits)
    {
        V divisor = V.Create(scale), most = V.Create(127), least = V.Create(-127), magic = V.Create(IntegerBits), sums = V.Create(0);
        int i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            V integer = V.Min(most, V.Max(least, V.Round(V.Load(x + i) / divisor)));
            sums += integer;
            V.Store(integer + magic, bits + i);
        }

        float sum = V.Sum(sums);
        for (; i < count; i++)
        {
            float integer = Math.Clamp(MathF.Round(x[i] / scale), -127, 127);
            sum += integer;
            bits[i] = integer + IntegerBits;
        }

        return sum;
    }
}
