using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace ILGpuDiffusion.Compute;

/// <summary>4×4 blocks with SSE or Arm's AdvSimd.</summary>
internal readonly unsafe struct Transposer4 : ITransposer
{
    public static int Lanes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Block<TStored>(byte** rows, nint first, float* target, nint* offsets) where TStored : struct, IStored
    {
        Vector128<float> r0 = Load<TStored>(rows[0] + first), r1 = Load<TStored>(rows[1] + first), r2 = Load<TStored>(rows[2] + first), r3 = Load<TStored>(rows[3] + first);
        // Interleaving rows 0 with 2 and 1 with 3, then both results, puts each column's elements side by side in order.
        Vector128<float> even0 = ZipLow(r0, r2), even1 = ZipHigh(r0, r2), odd0 = ZipLow(r1, r3), odd1 = ZipHigh(r1, r3);
        ZipLow(even0, odd0).Store(target + offsets[0]);
        ZipHigh(even0, odd0).Store(target + offsets[1]);
        ZipLow(even1, odd1).Store(target + offsets[2]);
        ZipHigh(even1, odd1).Store(target + offsets[3]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Load<TStored>(byte* source) where TStored : struct, IStored => TStored.Load<Simd128>(source).Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Vector128.Create(a[0], b[0], a[1], b[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Vector128.Create(a[2], b[2], a[3], b[3]);
}
