using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Four elements as they are stored, in as many of these words as they need: what a load brings, before anything waits for it.</summary>
internal struct Stored4
{
    public uint A, B, C, D;

    /// <summary>Four floats' bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Stored4 Of(Float4 values) =>
        new() { A = Interop.FloatAsInt(values.X), B = Interop.FloatAsInt(values.Y), C = Interop.FloatAsInt(values.Z), D = Interop.FloatAsInt(values.W) };

    /// <summary>The words as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Float4 AsFloats() => new(Interop.IntAsFloat(A), Interop.IntAsFloat(B), Interop.IntAsFloat(C), Interop.IntAsFloat(D));
}

/// <summary>Two words, loaded and stored as one: four elements of 16 bits.</summary>
internal struct Words2
{
    public uint Low, High;
}
