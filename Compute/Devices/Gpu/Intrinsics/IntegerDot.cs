using ILGPU.IR.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Dot products of signed bytes, four per word.</summary>
internal static class IntegerDot
{
    /// <summary>
    /// sum + Σ aᵢ·bᵢ over the four bytes of two words; exact while it fits 32 bits. One instruction if <see cref="GpuFeatures.Dot"/> is
    /// supported, a few otherwise.
    /// </summary>
    [IntrinsicImplementation, DeviceCode("dp4a.s32.s32 $0, $1, $2, $3;", "ilgd_dot4($1, $2, $3)")]
    public static int MultiplyAdd(int a, int b, int sum)
    {
        for (int shift = 0; shift < 32; shift += 8) sum += (sbyte)(a >> shift) * (sbyte)(b >> shift);
        return sum;
    }
}
