using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute;

/// <summary>Four elements of 16 bits that devices load and store as one.</summary>
internal struct Bits4
{
    public uint Low, High; // two words: a word is the least that drivers put into vectors

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Bits4(ushort first, ushort second, ushort third, ushort fourth) => (Low, High) = (first | (uint)second << 16, third | (uint)fourth << 16);

    public readonly ushort First { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => (ushort)Low; }

    public readonly ushort Second { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => (ushort)(Low >> 16); }

    public readonly ushort Third { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => (ushort)High; }

    public readonly ushort Fourth { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => (ushort)(High >> 16); }
}
