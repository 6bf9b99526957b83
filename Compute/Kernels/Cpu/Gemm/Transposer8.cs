using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ILGpuDiffusion.Compute;

/// <summary>8×8 blocks with AVX: pairs of rows, then pairs of pairs within each half, then the halves.</summary>
internal readonly unsafe struct Transposer8 : ITransposer
{
    public static int Lanes => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Block<TStored>(byte** rows, nint first, float* target, nint* offsets) where TStored : struct, IStored
    {
        Vector256<float> r0 = Load<TStored>(rows[0] + first), r1 = Load<TStored>(rows[1] + first), r2 = Load<TStored>(rows[2] + first), r3 = Load<TStored>(rows[3] + first);
        Vector256<float> r4 = Load<TStored>(rows[4] + first), r5 = Load<TStored>(rows[5] + first), r6 = Load<TStored>(rows[6] + first), r7 = Load<TStored>(rows[7] + first);
        Vector256<float> a0 = Avx.UnpackLow(r0, r1), a1 = Avx.UnpackHigh(r0, r1), a2 = Avx.UnpackLow(r2, r3), a3 = Avx.UnpackHigh(r2, r3);
        Vector256<float> a4 = Avx.UnpackLow(r4, r5), a5 = Avx.UnpackHigh(r4, r5), a6 = Avx.UnpackLow(r6, r7), a7 = Avx.UnpackHigh(r6, r7);
        const byte LowPairs = 0x44, HighPairs = 0xEE;
        Vector256<float> b0 = Avx.Shuffle(a0, a2, LowPairs), b1 = Avx.Shuffle(a0, a2, HighPairs), b2 = Avx.Shuffle(a1, a3, LowPairs), b3 = Avx.Shuffle(a1, a3, HighPairs);
        Vector256<float> b4 = Avx.Shuffle(a4, a6, LowPairs), b5 = Avx.Shuffle(a4, a6, HighPairs), b6 = Avx.Shuffle(a5, a7, LowPairs), b7 = Avx.Shuffle(a5, a7, HighPairs);
        const byte LowHalves = 0x20, HighHalves = 0x31;
        Avx.Permute2x128(b0, b4, LowHalves).Store(target + offsets[0]);
        Avx.Permute2x128(b1, b5, LowHalves).Store(target + offsets[1]);
        Avx.Permute2x128(b2, b6, LowHalves).Store(target + offsets[2]);
        Avx.Permute2x128(b3, b7, LowHalves).Store(target + offsets[3]);
        Avx.Permute2x128(b0, b4, HighHalves).Store(target + offsets[4]);
        Avx.Permute2x128(b1, b5, HighHalves).Store(target + offsets[5]);
        Avx.Permute2x128(b2, b6, HighHalves).Store(target + offsets[6]);
        Avx.Permute2x128(b3, b7, HighHalves).Store(target + offsets[7]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Load<TStored>(byte* source) where TStored : struct, IStored => TStored.Load<Simd256>(source).Value;
}
