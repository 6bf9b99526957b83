using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Four lanes: every processor that .NET runs on.</summary>
internal readonly unsafe struct Simd128(Vector128<float> value) : ISimd<Simd128>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The lanes.</summary>
    public readonly Vector128<float> Value = value;

    public static int Count => 4;

    [MethodImpl(Inline)] public static Simd128 Create(float value) => new(Vector128.Create(value));

    [MethodImpl(Inline)] public static Simd128 Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(Inline)] public static void Store(Simd128 value, float* target) => Vector128.Store(value.Value, target);

    [MethodImpl(Inline)]
    public static Simd128 LoadFirst(float* source, int count, Simd128 missing) => new(Vector128.Create(
        count > 0 ? source[0] : missing.Value[0], count > 1 ? source[1] : missing.Value[1], count > 2 ? source[2] : missing.Value[2],
            count > 3 ? source[3] : missing.Value[3]));

    [MethodImpl(Inline)]
    public static void StoreFirst(Simd128 value, float* target, int count)
    {
        if (count > 0) target[0] = value.Value[0];
        if (count > 1) target[1] = value.Value[1];
        if (count > 2) target[2] = value.Value[2];
        if (count > 3) target[3] = value.Value[3];
    }

    [MethodImpl(Inline)] public static Simd128 operator +(Simd128 a, Simd128 b) => new(a.Value + b.Value);

    [MethodImpl(Inline)] public static Simd128 operator -(Simd128 a, Simd128 b) => new(a.Value - b.Value);

    [MethodImpl(Inline)] public static Simd128 operator -(Simd128 a) => new(-a.Value);

    [MethodImpl(Inline)] public static Simd128 operator *(Simd128 a, Simd128 b) => new(a.Value * b.Value);

    [MethodImpl(Inline)] public static Simd128 operator /(Simd128 a, Simd128 b) => new(a.Value / b.Value);

    [MethodImpl(Inline)] public static Simd128 Reciprocal(Simd128 a) => Create(1f) / a;

    [MethodImpl(Inline)]
    public static Simd128 MultiplyAdd(Simd128 a, Simd128 b, Simd128 c) =>
        new(Vector128.MultiplyAddEstimate(a.Value, b.Value, c.Value));

    [MethodImpl(Inline)] public static Simd128 Min(Simd128 a, Simd128 b) => new(Vector128.MinNative(a.Value, b.Value));

    [MethodImpl(Inline)] public static Simd128 Max(Simd128 a, Simd128 b) => new(Vector128.MaxNative(a.Value, b.Value));

    [MethodImpl(Inline)] public static Simd128 Abs(Simd128 a) => new(Vector128.Abs(a.Value));

    [MethodImpl(Inline)] public static Simd128 LowBitsToExponent(Simd128 a) => new((a.Value.AsInt32() << 23).AsSingle());

    [MethodImpl(Inline)]
    public static Simd128 IfLess(Simd128 a, Simd128 b, Simd128 then, Simd128 otherwise) =>
        new(Vector128.ConditionalSelect(Vector128.LessThan(a.Value, b.Value), then.Value, otherwise.Value));

    [MethodImpl(Inline)]
    public static Simd128 RotatePairs(Simd128 a) =>
        new((Vector128.Shuffle(a.Value, Vector128.Create(1, 0, 3, 2)).AsUInt64() ^ Vector128.Create(0x80000000UL)).AsSingle());

    [MethodImpl(Inline)] public static Simd128 LoadEveryFourth(byte** rows, nint at) => new(Vector128.Load((float*)(rows[0] + at)));

    [MethodImpl(Inline)]
    public static Simd128 ZipLow(Simd128 a, Simd128 b) =>
        new(Sse.IsSupported ? Sse.UnpackLow(a.Value, b.Value) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a.Value, b.Value)
            : Vector128.Create(a.Value[0], b.Value[0], a.Value[1], b.Value[1]));

    [MethodImpl(Inline)]
    public static Simd128 ZipHigh(Simd128 a, Simd128 b) =>
        new(Sse.IsSupported ? Sse.UnpackHigh(a.Value, b.Value) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a.Value, b.Value)
            : Vector128.Create(a.Value[2], b.Value[2], a.Value[3], b.Value[3]));

    [MethodImpl(Inline)] public static Simd128 ShiftLeft(Simd128 a, int bits) => new((a.Value.AsUInt32() << bits).AsSingle());

    [MethodImpl(Inline)] public static Simd128 ShiftRight(Simd128 a, int bits) => new((a.Value.AsUInt32() >> bits).AsSingle());

    [MethodImpl(Inline)] public static Simd128 And(Simd128 a, uint bits) => new((a.Value.AsUInt32() & Vector128.Create(bits)).AsSingle());

    [MethodImpl(Inline)] public static Simd128 Xor(Simd128 a, uint bits) => new((a.Value.AsUInt32() ^ Vector128.Create(bits)).AsSingle());

    [MethodImpl(Inline)] public static float Sum(Simd128 a) => Vector128.Sum(a.Value);

    [MethodImpl(Inline)]
    public static float Max(Simd128 a) => MathF.Max(MathF.Max(a.Value[0], a.Value[1]), MathF.Max(a.Value[2], a.Value[3]));
}
