using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Sixteen lanes: AVX-512.</summary>
internal readonly unsafe struct Simd512(Vector512<float> value) : ISimd<Simd512>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The lanes.</summary>
    public readonly Vector512<float> Value = value;

    public static int Count => 16;

    [MethodImpl(Inline)] public static Simd512 Create(float value) => new(Vector512.Create(value));

    [MethodImpl(Inline)] public static Simd512 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(Inline)] public static void Store(Simd512 value, float* target) => Vector512.Store(value.Value, target);

    [MethodImpl(Inline)]
    public static Simd512 LoadFirst(float* source, int count, Simd512 missing) => new(Avx512F.IsSupported
        ? Avx512F.MaskLoad(source, First(count), missing.Value)
        : Vector512.Create(Simd256.LoadFirst(source, count, new(missing.Value.GetLower())).Value,
            Simd256.LoadFirst(source + 8, count - 8, new(missing.Value.GetUpper())).Value));

    [MethodImpl(Inline)]
    public static void StoreFirst(Simd512 value, float* target, int count)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.MaskStore(target, First(count), value.Value);
            return;
        }

        Simd256.StoreFirst(new(value.Value.GetLower()), target, count);
        Simd256.StoreFirst(new(value.Value.GetUpper()), target + 8, count - 8);
    }

    [MethodImpl(Inline)] public static Simd512 operator +(Simd512 a, Simd512 b) => new(a.Value + b.Value);

    [MethodImpl(Inline)] public static Simd512 operator -(Simd512 a, Simd512 b) => new(a.Value - b.Value);

    [MethodImpl(Inline)] public static Simd512 operator -(Simd512 a) => new(-a.Value);

    [MethodImpl(Inline)] public static Simd512 operator *(Simd512 a, Simd512 b) => new(a.Value * b.Value);

    [MethodImpl(Inline)] public static Simd512 operator /(Simd512 a, Simd512 b) => new(a.Value / b.Value);

    // A 14-bit estimate and a Newton step: a quarter of the time of a division. For infinity the error term is NaN, which the minimum
    // replaces.
    [MethodImpl(Inline)]
    public static Simd512 Reciprocal(Simd512 a)
    {
        if (!Avx512F.IsSupported) return Create(1f) / a;
        var estimate = Avx512F.Reciprocal14(a.Value);
        var error = Vector512.MinNative(Avx512F.FusedMultiplyAddNegated(a.Value, estimate, Vector512.Create(1f)), Vector512.Create(1f));
        return new(Avx512F.FusedMultiplyAdd(estimate, error, estimate));
    }

    [MethodImpl(Inline)]
    public static Simd512 MultiplyAdd(Simd512 a, Simd512 b, Simd512 c) =>
        new(Vector512.MultiplyAddEstimate(a.Value, b.Value, c.Value));

    [MethodImpl(Inline)] public static Simd512 Min(Simd512 a, Simd512 b) => new(Vector512.MinNative(a.Value, b.Value));

    [MethodImpl(Inline)] public static Simd512 Max(Simd512 a, Simd512 b) => new(Vector512.MaxNative(a.Value, b.Value));

    [MethodImpl(Inline)] public static Simd512 Abs(Simd512 a) => new(Vector512.Abs(a.Value));

    [MethodImpl(Inline)] public static Simd512 LowBitsToExponent(Simd512 a) => new((a.Value.AsInt32() << 23).AsSingle());

    [MethodImpl(Inline)]
    public static Simd512 IfLess(Simd512 a, Simd512 b, Simd512 then, Simd512 otherwise) =>
        new(Vector512.ConditionalSelect(Vector512.LessThan(a.Value, b.Value), then.Value, otherwise.Value));

    [MethodImpl(Inline)]
    public static Simd512 RotatePairs(Simd512 a) =>
        new((Vector512.Shuffle(a.Value, Vector512.Create(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14))
            .AsUInt64() ^ Vector512.Create(0x80000000UL)).AsSingle());

    [MethodImpl(Inline)]
    public static Simd512 LoadEveryFourth(byte** rows, nint at)
    {
        // An insertion from memory does not use the shuffle unit, which is the bottleneck of transposing.
        var lanes = Avx512F.InsertVector128(Vector128.Load((float*)(rows[0] + at)).ToVector256Unsafe().ToVector512Unsafe(),
            Vector128.Load((float*)(rows[4] + at)), 1);
        lanes = Avx512F.InsertVector128(lanes, Vector128.Load((float*)(rows[8] + at)), 2);
        return new(Avx512F.InsertVector128(lanes, Vector128.Load((float*)(rows[12] + at)), 3));
    }

    [MethodImpl(Inline)] public static Simd512 ZipLow(Simd512 a, Simd512 b) => new(Avx512F.UnpackLow(a.Value, b.Value));

    [MethodImpl(Inline)] public static Simd512 ZipHigh(Simd512 a, Simd512 b) => new(Avx512F.UnpackHigh(a.Value, b.Value));

    [MethodImpl(Inline)] public static Simd512 ShiftLeft(Simd512 a, int bits) => new((a.Value.AsUInt32() << bits).AsSingle());

    [MethodImpl(Inline)] public static Simd512 ShiftRight(Simd512 a, int bits) => new((a.Value.AsUInt32() >> bits).AsSingle());

    [MethodImpl(Inline)] public static Simd512 And(Simd512 a, uint bits) => new((a.Value.AsUInt32() & Vector512.Create(bits)).AsSingle());

    [MethodImpl(Inline)] public static Simd512 Xor(Simd512 a, uint bits) => new((a.Value.AsUInt32() ^ Vector512.Create(bits)).AsSingle());

    [MethodImpl(Inline)] public static float Sum(Simd512 a) => Vector512.Sum(a.Value);

    [MethodImpl(Inline)]
    public static float Max(Simd512 a) => Simd256.Max(new Simd256(Vector256.Max(a.Value.GetLower(), a.Value.GetUpper())));

    [MethodImpl(Inline)]
    private static Vector512<float> First(int count) =>
        Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
}
