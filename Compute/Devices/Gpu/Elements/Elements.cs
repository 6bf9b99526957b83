using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>32-bit floats.</summary>
internal readonly struct Fp32 : IElement<float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(float bits) => bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Narrow(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Stored4 Fetch4(ArrayView<float> view, int at) => Stored4.Of(view.Cast<Float4>()[at >> 2]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Widen4(Stored4 stored) => stored.AsFloats();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store4(ArrayView<float> view, int at, Float4 values) => view.Cast<Float4>()[at >> 2] = values;
}

/// <summary>IEEE 16-bit floats.</summary>
internal readonly struct Fp16 : IElement<ushort>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(ushort bits) => DeviceHalf.Widen(bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Narrow(float value) => DeviceHalf.Narrow(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Stored4 Fetch4(ArrayView<ushort> view, int at)
    {
        Words2 words = view.Cast<Words2>()[at >> 2];
        return new() { A = words.Low, B = words.High };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Widen4(Stored4 stored) =>
        new(Widen((ushort)stored.A), Widen((ushort)(stored.A >> 16)), Widen((ushort)stored.B), Widen((ushort)(stored.B >> 16)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store4(ArrayView<ushort> view, int at, Float4 values) =>
        view.Cast<Words2>()[at >> 2] = new()
        {
            Low = Narrow(values.X) | (uint)Narrow(values.Y) << 16,
            High = Narrow(values.Z) | (uint)Narrow(values.W) << 16
        };
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Stored4 Fetch4(ArrayView<ushort> view, int at)
    {
        Words2 words = view.Cast<Words2>()[at >> 2];
        return new() { A = words.Low, B = words.High };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Widen4(Stored4 stored) =>
        new(Widen((ushort)stored.A), Widen((ushort)(stored.A >> 16)), Widen((ushort)stored.B), Widen((ushort)(stored.B >> 16)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store4(ArrayView<ushort> view, int at, Float4 values) =>
        view.Cast<Words2>()[at >> 2] = new()
        {
            Low = Narrow(values.X) | (uint)Narrow(values.Y) << 16,
            High = Narrow(values.Z) | (uint)Narrow(values.W) << 16
        };
}

/// <summary>Signed 8-bit integers: quantised weights.</summary>
internal readonly struct Int8 : IElement<sbyte>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(sbyte bits) => bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static sbyte Narrow(float value) => (sbyte)(int)DeviceMath.Round(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Stored4 Fetch4(ArrayView<sbyte> view, int at) => new() { A = view.Cast<uint>()[at >> 2] };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Widen4(Stored4 stored) =>
        new((sbyte)stored.A, (sbyte)(stored.A >> 8), (sbyte)(stored.A >> 16), (sbyte)(stored.A >> 24));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store4(ArrayView<sbyte> view, int at, Float4 values) => view.Cast<uint>()[at >> 2] =
        (byte)Narrow(values.X) | (uint)(byte)Narrow(values.Y) << 8 | (uint)(byte)Narrow(values.Z) << 16
            | (uint)(byte)Narrow(values.W) << 24;
}
