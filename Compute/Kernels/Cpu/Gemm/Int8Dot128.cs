using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Lanes of four int8; a multiply-add adds four products to an int32 lane, exactly: Arm's dot product.</summary>
internal readonly unsafe struct Int8Dot128(Vector128<int> value) : IIntegerLanes<Int8Dot128>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private readonly Vector128<int> value = value;

    public static int Count => 4;

    [MethodImpl(Inline)] public static Int8Dot128 Create(float value) => new(Vector128.Create(value).AsInt32());

    [MethodImpl(Inline)] public static Int8Dot128 Load(float* source) => new(Vector128.Load((int*)source));

    [MethodImpl(Inline)] public static void Store(Int8Dot128 value, float* target) => value.value.Store((int*)target);

    [MethodImpl(Inline)]
    public static void StoreScaled(Int8Dot128 sums, int offset, float factor, float* scales, float* bias, float* target)
    {
        var scaled = Vector128.ConvertToSingle(sums.value - Vector128.Create(offset)) * Vector128.Create(factor) * Vector128.Load(scales);
        (bias is null ? scaled : scaled + Vector128.Load(bias)).Store(target);
    }

    [MethodImpl(Inline)] public static Int8Dot128 operator +(Int8Dot128 a, Int8Dot128 b) => new(a.value + b.value);

    [MethodImpl(Inline)]
    public static Int8Dot128 MultiplyAdd(Int8Dot128 a, Int8Dot128 b, Int8Dot128 c) =>
        new(Dp.DotProduct(c.value, a.value.AsSByte(), b.value.AsSByte()));
}
