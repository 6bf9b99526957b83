using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Lanes of two int16; a multiply-add adds both products to an int32 lane, exactly. Sixteen lanes: AVX-512BW.</summary>
internal readonly unsafe struct Int16Dot512(Vector512<int> value) : IIntegerLanes<Int16Dot512>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private readonly Vector512<int> value = value;

    public static int Count => 16;

    [MethodImpl(Inline)] public static Int16Dot512 Create(float value) => new(Vector512.Create(value).AsInt32());

    [MethodImpl(Inline)] public static Int16Dot512 Load(float* source) => new(Vector512.Load((int*)source));

    [MethodImpl(Inline)] public static void Store(Int16Dot512 value, float* target) => value.value.Store((int*)target);

    [MethodImpl(Inline)]
    public static void StoreScaled(Int16Dot512 sums, int offset, float factor, float* scales, float* bias, float* target)
    {
        var scaled = Vector512.ConvertToSingle(sums.value - Vector512.Create(offset)) * Vector512.Create(factor) * Vector512.Load(scales);
        (bias is null ? scaled : scaled + Vector512.Load(bias)).Store(target);
    }

    [MethodImpl(Inline)] public static Int16Dot512 operator +(Int16Dot512 a, Int16Dot512 b) => new(a.value + b.value);

    [MethodImpl(Inline)]
    public static Int16Dot512 MultiplyAdd(Int16Dot512 a, Int16Dot512 b, Int16Dot512 c) =>
        new(c.value + Avx512BW.MultiplyAddAdjacent(a.value.AsInt16(), b.value.AsInt16()));
}

/// <summary>Lanes of two int16; a multiply-add adds both products to an int32 lane, exactly. Eight lanes: AVX2.</summary>
internal readonly unsafe struct Int16Dot256(Vector256<int> value) : IIntegerLanes<Int16Dot256>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private readonly Vector256<int> value = value;

    public static int Count => 8;

    [MethodImpl(Inline)] public static Int16Dot256 Create(float value) => new(Vector256.Create(value).AsInt32());

    [MethodImpl(Inline)] public static Int16Dot256 Load(float* source) => new(Vector256.Load((int*)source));

    [MethodImpl(Inline)] public static void Store(Int16Dot256 value, float* target) => value.value.Store((int*)target);

    [MethodImpl(Inline)]
    public static void StoreScaled(Int16Dot256 sums, int offset, float factor, float* scales, float* bias, float* target)
    {
        var scaled = Vector256.ConvertToSingle(sums.value - Vector256.Create(offset)) * Vector256.Create(factor) * Vector256.Load(scales);
        (bias is null ? scaled : scaled + Vector256.Load(bias)).Store(target);
    }

    [MethodImpl(Inline)] public static Int16Dot256 operator +(Int16Dot256 a, Int16Dot256 b) => new(a.value + b.value);

    [MethodImpl(Inline)]
    public static Int16Dot256 MultiplyAdd(Int16Dot256 a, Int16Dot256 b, Int16Dot256 c) =>
        new(c.value + Avx2.MultiplyAddAdjacent(a.value.AsInt16(), b.value.AsInt16()));
}

/// <summary>Lanes of two int16; a multiply-add adds both products to an int32 lane, exactly. Four lanes: any processor.</summary>
internal readonly unsafe struct Int16Dot128(Vector128<int> value) : IIntegerLanes<Int16Dot128>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private readonly Vector128<int> value = value;

    public static int Count => 4;

    [MethodImpl(Inline)] public static Int16Dot128 Create(float value) => new(Vector128.Create(value).AsInt32());

    [MethodImpl(Inline)] public static Int16Dot128 Load(float* source) => new(Vector128.Load((int*)source));

    [MethodImpl(Inline)] public static void Store(Int16Dot128 value, float* target) => value.value.Store((int*)target);

    [MethodImpl(Inline)]
    public static void StoreScaled(Int16Dot128 sums, int offset, float factor, float* scales, float* bias, float* target)
    {
        var scaled = Vector128.ConvertToSingle(sums.value - Vector128.Create(offset)) * Vector128.Create(factor) * Vector128.Load(scales);
        (bias is null ? scaled : scaled + Vector128.Load(bias)).Store(target);
    }

    [MethodImpl(Inline)] public static Int16Dot128 operator +(Int16Dot128 a, Int16Dot128 b) => new(a.value + b.value);

    [MethodImpl(Inline)]
    public static Int16Dot128 MultiplyAdd(Int16Dot128 a, Int16Dot128 b, Int16Dot128 c) => new(c.value + (Sse2.IsSupported
        ? Sse2.MultiplyAddAdjacent(a.value.AsInt16(), b.value.AsInt16())
        : (a.value << 16 >> 16) * (b.value << 16 >> 16) + (a.value >> 16) * (b.value >> 16)));
}
