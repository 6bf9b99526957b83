using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Copies vectors of eight 16-bit elements from a tensor to local memory: a type argument of kernels.</summary>
internal interface IPieceLoader
{
    /// <summary>
    /// Copies elements <paramref name="k"/> to k + 7 of the row at <paramref name="offset"/>; zeros from <paramref name="depth"/> on, and
    /// if the offset is −1.
    /// </summary>
    static abstract void Load(uint target, ArrayView<ushort> source, int offset, int k, int depth);

    /// <summary>Loads the same elements into registers.</summary>
    static abstract Word4 Fetch(ArrayView<ushort> source, int offset, int k, int depth);
}

/// <summary>16 bytes at once, on CUDA asynchronously (cp.async): depth and every offset must be multiples of 8.</summary>
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

/// <summary>Element by element, through registers: any depth and offset.</summary>
internal readonly struct ElementPieces : IPieceLoader
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(uint target, ArrayView<ushort> source, int offset, int k, int depth) =>
        SharedWindow.Store(target, Fetch(source, offset, k, depth));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Word4 Fetch(ArrayView<ushort> source, int offset, int k, int depth)
    {
        int count = offset >= 0 ? depth - k : 0, at = count > 0 ? offset + k : 0;
        return new()
        {
            X = Pair(source, at, 0, count),
            Y = Pair(source, at, 2, count),
            Z = Pair(source, at, 4, count),
            W = Pair(source, at, 6, count)
        };
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
