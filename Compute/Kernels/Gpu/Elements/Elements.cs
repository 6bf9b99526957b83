using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>32-bit floats.</summary>
internal readonly struct Fp32 : IElement<float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(float bits) => bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Narrow(float value) => value;
}

/// <summary>IEEE 16-bit floats.</summary>
internal readonly struct Fp16 : IElement<ushort>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(ushort bits) => DeviceHalf.Widen(bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Narrow(float value) => DeviceHalf.Narrow(value);
}

/// <summary>The upper halves of 32-bit floats.</summary>
internal readonly struct Bf16 : IElement<ushort>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(ushort bits) => Interop.IntAsFloat((uint)bits << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Narrow(float value)
    {
        uint bits = Interop.FloatAsInt(value);
        uint rounded = bits + 0x7FFF + ((bits >> 16) & 1);
        return (ushort)(((bits & 0x7FFFFFFF) > 0x7F800000 ? bits | 0x400000 : rounded) >> 16); // NaN stays NaN
    }
}

/// <summary>Whole numbers of one byte: quantised weights.</summary>
internal readonly struct Int8 : IElement<sbyte>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(sbyte bits) => bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static sbyte Narrow(float value) => (sbyte)(int)DeviceMath.Round(value);
}
