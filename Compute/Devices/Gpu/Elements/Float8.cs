using System.Runtime.CompilerServices;
using ILGPU.IR.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Eight floats: a vector register of CPU devices.</summary>
internal struct Float8
{
    public float A, B, C, D, E, F, G, H;

    /// <summary>
    /// a · b + c, element-wise. One instruction on CPU devices, whose compilers do not find it by themselves in every loop.
    /// </summary>
    [IntrinsicImplementation]
    [DeviceCode(
        "fma.rn.f32 $0, $8, $9, $17; fma.rn.f32 $1, $8, $10, $18; fma.rn.f32 $2, $8, $11, $19; fma.rn.f32 $3, $8, $12, $20; "
        + "fma.rn.f32 $4, $8, $13, $21; fma.rn.f32 $5, $8, $14, $22; fma.rn.f32 $6, $8, $15, $23; fma.rn.f32 $7, $8, $16, $24;",
        "ilgd_fma8($1, $2, $3)")]
    public static Float8 MultiplyAdd(float a, Float8 b, Float8 c) => new()
    {
        A = MathF.FusedMultiplyAdd(a, b.A, c.A),
        B = MathF.FusedMultiplyAdd(a, b.B, c.B),
        C = MathF.FusedMultiplyAdd(a, b.C, c.C),
        D = MathF.FusedMultiplyAdd(a, b.D, c.D),
        E = MathF.FusedMultiplyAdd(a, b.E, c.E),
        F = MathF.FusedMultiplyAdd(a, b.F, c.F),
        G = MathF.FusedMultiplyAdd(a, b.G, c.G),
        H = MathF.FusedMultiplyAdd(a, b.H, c.H),
    };

    /// <summary>Element by element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 operator *(Float8 a, Float8 b) => new()
    {
        A = a.A * b.A,
        B = a.B * b.B,
        C = a.C * b.C,
        D = a.D * b.D,
        E = a.E * b.E,
        F = a.F * b.F,
        G = a.G * b.G,
        H = a.H * b.H,
    };
}
