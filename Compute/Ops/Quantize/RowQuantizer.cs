using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Quantises one row; shared by Quantize and QuantizedMatMul.</summary>
internal static unsafe class RowQuantizer<V> where V : struct, ISimd<V>
{
    // 1.5 · 2²³: adding it rounds to an integer, ties to even, which is then in the lowest bits
    private const float IntegerBits = 12582912f;
    private const float LeastFast = 1e-25f, MostFast = 1e25f;

    /// <summary>max|x| / 127, or 1 where that is 0.</summary>
    [MethodImpl(Jit.Kernel)]
    public static float Scale(float* x, int count)
    {
        // Four independent chains of maxima hide the latency.
        V a = default, b = default, c = default, d = default;
        int i = 0;
        for (; i <= count - 4 * V.Count; i += 4 * V.Count)
        {
            a = V.Max(V.Abs(V.Load(x + i)), a);
            b = V.Max(V.Abs(V.Load(x + i + V.Count)), b);
            c = V.Max(V.Abs(V.Load(x + i + 2 * V.Count)), c);
            d = V.Max(V.Abs(V.Load(x + i + 3 * V.Count)), d);
        }

        for (; i <= count - V.Count; i += V.Count) a = V.Max(V.Abs(V.Load(x + i)), a);
        float max = V.Max(V.Max(V.Max(a, b), V.Max(c, d)));
        for (; i < count; i++) max = MathF.Max(max, MathF.Abs(x[i]));
        float scale = max / 127f;
        return scale == 0 ? 1 : scale;
    }

    /// <summary>Writes round(x / scale) as int8.</summary>
    /// <returns>The sum of the integers; exact up to 131072 elements.</returns>
    public static float ToInt8(float* x, int count, float scale, byte* target) =>
        IsFast(scale) ? Round<Reciprocal, Bytes>(x, count, scale, target) : Round<Quotient, Bytes>(x, count, scale, target);

    /// <summary>Writes round(x / scale) as int16.</summary>
    public static void ToInt16(float* x, int count, float scale, ushort* target)
    {
        if (IsFast(scale)) Round<Reciprocal, Words>(x, count, scale, (byte*)target);
        else Round<Quotient, Words>(x, count, scale, (byte*)target);
    }

    private static bool IsFast(float scale) => (Fma.IsSupported || AdvSimd.IsSupported) && scale is > LeastFast and < MostFast;

    // The sums are of integers and below 2²⁴: exact in any order.
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private static float Round<TDivision, TTarget>(float* x, int count, float scale, byte* target)
        where TDivision : struct, IDivision
        where TTarget : struct, ITarget
    {
        V divisor = V.Create(scale), reciprocal = V.Create(1 / scale), most = V.Create(127), least = V.Create(-127),
            magic = V.Create(IntegerBits), left = default, right = default;
        int i = 0;
        for (; i <= count - 2 * V.Count; i += 2 * V.Count)
        {
            V first = V.Min(most, V.Max(least, TDivision.Divide(V.Load(x + i), divisor, reciprocal))) + magic;
            V second = V.Min(most, V.Max(least, TDivision.Divide(V.Load(x + i + V.Count), divisor, reciprocal))) + magic;
            left += first - magic;
            right += second - magic;
            TTarget.Store(first, target, i);
            TTarget.Store(second, target, i + V.Count);
        }

        float sum = V.Sum(left + right);
        for (; i < count; i++)
        {
            float integer = Math.Clamp(MathF.Round(x[i] / scale), -127, 127);
            sum += integer;
            TTarget.Store(BitConverter.SingleToUInt32Bits(integer + IntegerBits), target, i);
        }

        return sum;
    }

    private interface IDivision
    {
        static abstract V Divide(V x, V divisor, V reciprocal);
    }

    private readonly struct Quotient : IDivision
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)] public static V Divide(V x, V divisor, V reciprocal) => x / divisor;
    }

    /// <summary>
    /// The correctly rounded quotient without a division: a multiplication by the correctly rounded reciprocal, corrected twice by its
    /// exact remainder (Markstein, 1990). A quotient with an error in the last bit would round some ties the other way.
    /// </summary>
    private readonly struct Reciprocal : IDivision
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Divide(V x, V divisor, V reciprocal)
        {
            V quotient = x * reciprocal, negative = -divisor;
            quotient = V.MultiplyAdd(V.MultiplyAdd(quotient, negative, x), reciprocal, quotient);
            return V.MultiplyAdd(V.MultiplyAdd(quotient, negative, x), reciprocal, quotient);
        }
    }

    /// <summary>Stores the lowest bits of lanes.</summary>
    private interface ITarget
    {
        static abstract void Store(V lanes, byte* target, int index);

        static abstract void Store(uint bits, byte* target, int index);
    }

    private readonly struct Bytes : ITarget
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(V lanes, byte* target, int index) =>
            Narrowing.Bytes(lanes, target + index);

        public static void Store(uint bits, byte* target, int index) => target[index] = (byte)bits;
    }

    private readonly struct Words : ITarget
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(V lanes, byte* target, int index) =>
            Narrowing.Words(lanes, (ushort*)target + index);

        public static void Store(uint bits, byte* target, int index) => ((ushort*)target)[index] = (ushort)bits;
    }
}
