using ILGPU.IR.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Conversions between float32 and the bits of binary16. OpenCL devices without it convert with integer operations.</summary>
internal static class DeviceHalf
{
    /// <summary>The same value as float32.</summary>
    [IntrinsicImplementation, DeviceCode("cvt.f32.f16 $0, $1;", "ilgd_half_to_float($1)")]
    public static float Widen(ushort bits) => (float)BitConverter.UInt16BitsToHalf(bits);

    /// <summary>The nearest binary16, ties to even; infinity from 65520 on.</summary>
    [IntrinsicImplementation, DeviceCode("cvt.rn.f16.f32 $0, $1;", "ilgd_float_to_half($1)")]
    public static ushort Narrow(float value) => BitConverter.HalfToUInt16Bits((Half)value);
}
