using ILGPU.IR.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Arithmetic instructions of devices, the building blocks of the elementary functions.</summary>
internal static class DeviceMath
{
    /// <summary>a · b + c, rounded once.</summary>
    [IntrinsicImplementation, DeviceCode("fma.rn.f32 $0, $1, $2, $3;", "fma($1, $2, $3)")]
    public static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    /// <summary>2ˣ, relative error ≤ 2⁻²²; infinity above 128, 0 far below −149.</summary>
    [IntrinsicImplementation, DeviceCode("ex2.approx.f32 $0, $1;", "exp2($1)")]
    public static float Exp2(float x) => (float)Math.Pow(2, x);

    /// <summary>1 / √x, relative error ≤ 2⁻²².</summary>
    [IntrinsicImplementation, DeviceCode("rsqrt.approx.f32 $0, $1;", "rsqrt($1)")]
    public static float Rsqrt(float x) => (float)(1 / Math.Sqrt(x));

    /// <summary>The nearest integer, ties to even.</summary>
    [IntrinsicImplementation, DeviceCode("cvt.rni.f32.f32 $0, $1;", "rint($1)")]
    public static float Round(float x) => MathF.Round(x);
}
