using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Eight lanes: AVX2.</summary>
internal readonly unsafe struct Simd256(Vector256<float> value) : ISimd<Simd256>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The lanes.</summary>
    public readonly Vector256<float> Value = value;

    public static int Count => 8;

    [MethodImpl(Inline)] public static Simd256 Create(float value) => new(Vector256.Create(value));

    [MethodImpl(Inline)] public static Simd256 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(Inline)] public static void Store(Simd256 value, float* target) => Vector256.Store(value.Value, target);

    [MethodImpl(Inline)]
    public static Simd256 LoadFirst(float* source, int count, Simd256 missing) => new(Avx.IsSupported
        ? Vector256.ConditionalSelect(First(count), Avx.MaskLoad(source, First(count)), missing.Value)
        : Vector256.Create(Simd128.LoadFirst(source, count, new(missing.Value.GetLower())).Value,
            Simd128.LoadFirst(source + 4, count - 4, new(missing.Value.GetUpper())).Value));

    [MethodImpl(Inline)]
    public static void StoreFirst(Simd256 value, float* target, int count)
    {
        if (Avx.IsSupported)
        {
            Avx.MaskStore(target, First(count), value.Value);
            return;
        }

        Simd128.StoreFirst(new(value.Value.GetLower()), target, count);
        Simd128.StoreFirst(new(value.Value.GetUpper()), target + 4, count - 4);
    }

    [MethodImpl(Inline)] public static Simd256 operator +(Simd256 a, Simd256 b) => new(a.Value + b.Value);

    [MethodImpl(Inline)] public static Simd256 operator -(Simd256 a, Simd256 b) => new(a.Value - b.Value);

    [MethodImpl(Inline)] public static Simd256 operator -(Simd256 a) => new(-a.Value);

    [MethodImpl(Inline)] public static Simd256 operator *(Simd256 a, Simd256 b) => new(a.Value * b.Value);

    [MethodImpl(Inline)] public static Simd256 operator /(Simd256 a, Simd256 b) => new(a.Value / b.Value);

    [MethodImpl(Inline)] public static Simd256 Reciprocal(Simd256 a) => Create(1f) / a;

    [MethodImpl(Inline)]
    public static Simd256 MultiplyAdd(Simd256 a, Simd256 b, Simd256 c) =>
        new(Vector256.MultiplyAddEstimate(a.Value, b.Value, c.Value));

    [MethodImpl(Inline)] public static Simd256 Min(Simd256 a, Simd256 b) => new(Vector256.MinNative(a.Value, b.Value));

    [MethodImpl(Inline)] public static Simd256 Max(Simd256 a, Simd256 b) => new(Vector256.MaxNative(a.Value, b.Value));

    [MethodImpl(Inline)] public static Simd256 Abs(Simd256 a) => new(Vector256.Abs(a.Value));

    [MethodImpl(Inline)] public static Simd256 LowBitsToExponent(Simd256 a) => new((a.Value.AsInt32() << 23).AsSingle());

    [MethodImpl(Inline)]
    public static Simd256 IfLess(Simd256 a, Simd256 b, Simd256 then, Simd256 otherwise) =>
        new(Vector256.ConditionalSelect(Vector256.LessThan(a.Value, b.Value), then.Value, otherwise.Value));

    [MethodImpl(Inline)]
    public static Simd256 RotatePairs(Simd256 a) =>
        new((Vector256.Shuffle(a.Value, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6)).AsUInt64() ^ Vector256.Create(0x80000000UL)).AsSingle());

    [MethodImpl(Inline)]
    public static Simd256 LoadEveryFourth(byte** rows, nint at) =>
        new(Vector128.Load((float*)(rows[0] + at)).ToVector256Unsafe().WithUpper(Vector128.Load((float*)(rows[4] + at))));

    [MethodImpl(Inline)] public static Simd256 ZipLow(Simd256 a, Simd256 b) => new(Avx.UnpackLow(a.Value, b.Value));

    [MethodImpl(Inline)] public static Simd256 ZipHigh(Simd256 a, Simd256 b) => new(Avx.UnpackHigh(a.Value, b.Value));

    [MethodImpl(Inline)] public static Simd256 ShiftLeft(Simd256 a, int bits) => new((a.Value.AsUInt32() << bits).AsSingle());

    [MethodImpl(Inline)] public static Simd256 ShiftRight(Simd256 a, int bits) => new((a.Value.AsUInt32() >> bits).AsSingle());

    [MethodImpl(Inline)] public static Simd256 And(Simd256 a, uint bits) => new((a.Value.AsUInt32() & Vector256.Create(bits)).AsSingle());

    [MethodImpl(Inline)] public static Simd256 Xor(Simd256 a, uint bits) => new((a.Value.AsUInt32() ^ Vector256.Create(bits)).AsSingle());

    [MethodImpl(Inline)] public static float Sum(Simd256 a) => Vector256.Sum(a.Value);

    [MethodImpl(Inline)]
    public static float Max(Simd256 a) => Simd128.Max(new Simd128(Vector128.Max(a.Value.GetLower(), a.Value.GetUpper())));

    [MethodImpl(Inline)]
    private static Vector256<float> First(int count) =>
        Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();
}
