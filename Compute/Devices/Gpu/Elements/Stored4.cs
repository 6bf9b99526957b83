using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Four elements in storage format, in as many of these words as they need: the result of a load, before it is widened.</summary>
internal struct Stored4
{
    public uint A, B, C, D;

    /// <summary>From the bits of four floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Stored4 Of(Float4 values) =>
        new()
        {
            A = Interop.FloatAsInt(values.X),
            B = Interop.FloatAsInt(values.Y),
            C = Interop.FloatAsInt(values.Z),
            D = Interop.FloatAsInt(values.W)
        };

    /// <summary>The words as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Float4 AsFloats() => new(Interop.IntAsFloat(A), Interop.IntAsFloat(B), Interop.IntAsFloat(C), Interop.IntAsFloat(D));
}

/// <summary>Two words, loaded and stored at once: four 16-bit elements.</summary>
internal struct Words2
{
    public uint Low, High;
}
