using ILGPU.IR.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Products of signed bytes, four to a word.</summary>
internal static class IntegerDot
{
    /// <summary>sum + Σ aᵢ·bᵢ over the four bytes of two words; exact while it fits 32 bits. One instruction where <see cref="GpuFeatures.Dot"/> says so, a few elsewhere.</summary>
    [IntrinsicImplementation, DeviceCode("dp4a.s32.s32 $0, $1, $2, $3;", "ilgd_dot4($1, $2, $3)")]
    public static int MultiplyAdd(int a, int b, int sum)
    {
        for (int shift = 0; shift < 32; shift += 8) sum += (sbyte)(a >> shift) * (sbyte)(b >> shift);
        return sum;
    }
}
