using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Lanes of four bytes; a multiply-add adds four products (signed left · unsigned right) to an int32 lane, exactly: AVX-VNNI.
/// </summary>
internal readonly unsafe struct UInt8Dot256(Vector256<int> value) : IIntegerLanes<UInt8Dot256>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private readonly Vector256<int> value = value;

    public static int Count => 8;

    [MethodImpl(Inline)] public static UInt8Dot256 Create(float value) => new(Vector256.Create(value).AsInt32());

    [MethodImpl(Inline)] public static UInt8Dot256 Load(float* source) => new(Vector256.Load((int*)source));

    [MethodImpl(Inline)] public static void Store(UInt8Dot256 value, float* target) => value.value.Store((int*)target);

    [MethodImpl(Inline)]
    public static void StoreScaled(UInt8Dot256 sums, int offset, float factor, float* scales, float* bias, float* target)
    {
        var scaled = Vector256.ConvertToSingle(sums.value - Vector256.Create(offset)) * Vector256.Create(factor) * Vector256.Load(scales);
        (bias is null ? scaled : scaled + Vector256.Load(bias)).Store(target);
    }

    [MethodImpl(Inline)] public static UInt8Dot256 operator +(UInt8Dot256 a, UInt8Dot256 b) => new(a.value + b.value);

    [MethodImpl(Inline)]
    public static UInt8Dot256 MultiplyAdd(UInt8Dot256 a, UInt8Dot256 b, UInt8Dot256 c) =>
        new(AvxVnni.MultiplyWideningAndAdd(c.value, b.value.AsByte(), a.value.AsSByte()));
}
