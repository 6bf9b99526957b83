using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>How eight 16-bit elements get from a tensor into local memory: a type argument of kernels.</summary>
internal interface IPieceLoader
{
    /// <summary>Brings elements <paramref name="k"/> to k + 7 of what begins at <paramref name="offset"/>; zeros from <paramref name="depth"/> on, and where the offset is −1.</summary>
    static abstract void Load(uint target, ArrayView<ushort> source, int offset, int k, int depth);

    /// <summary>The same elements in registers.</summary>
    static abstract Word4 Fetch(ArrayView<ushort> source, int offset, int k, int depth);
}

/// <summary>All at once, on CUDA while the group computes: depth and every offset are multiples of 8.</summary>
internal readonly struct WholePieces : IPieceLoader
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(uint target, ArrayView<ushort> source, int offset, int k, int depth)
    {
        bool inside = offset >= 0 && k < depth;
        int at = inside ? offset + k : 0;
        SharedWindow.Copy(target, ref source[at], inside ? 16 : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Word4 Fetch(ArrayView<ushort> source, int offset, int k, int depth)
    {
        Word4 piece = default;
        if (offset >= 0 && k < depth) piece = source.Cast<Word4>()[(offset + k) >> 3];
        return piece;
    }
}

/// <summary>One by one, through registers: any depth and place.</summary>
internal readonly struct ElementPieces : IPieceLoader
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(uint target, ArrayView<ushort> source, int offset, int k, int depth) => SharedWindow.Store(target, Fetch(source, offset, k, depth));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Word4 Fetch(ArrayView<ushort> source, int offset, int k, int depth)
    {
        int count = offset >= 0 ? depth - k : 0, at = count > 0 ? offset + k : 0;
        return new() { X = Pair(source, at, 0, count), Y = Pair(source, at, 2, count), Z = Pair(source, at, 4, count), W = Pair(source, at, 6, count) };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Pair(ArrayView<ushort> source, int at, int i, int count)
    {
        uint pair = 0;
        if (i < count) pair = source[at + i];
        if (i + 1 < count) pair |= (uint)source[at + i + 1] << 16;
        return pair;
    }
}
