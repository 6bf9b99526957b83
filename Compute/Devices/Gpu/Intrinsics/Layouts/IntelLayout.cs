using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>A work item's part of each row of the left operand on an Intel GPU: a type argument of its layout.</summary>
internal interface IIntelShare
{
    /// <summary>Work items of a sub-group.</summary>
    static abstract int Lanes { get; }

    /// <summary>Elements per work item and row.</summary>
    static abstract int Elements { get; }

    /// <summary>A work item's elements of the row at <paramref name="row"/>, an index of 16-byte vectors.</summary>
    static abstract uint Read(ArrayView<Word4> local, int row, int lane);
}

/// <summary>Two elements per work item for sub-groups of eight (Xe-HPG).</summary>
internal readonly struct ShareOfEight : IIntelShare
{
    public static int Lanes => 8;

    public static int Elements => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Read(ArrayView<Word4> local, int row, int lane) => local.Cast<uint>()[4 * row + lane];
}

/// <summary>One element per work item for sub-groups of sixteen (Xe-HPC, Xe2).</summary>
internal readonly struct ShareOfSixteen : IIntelShare
{
    public static int Lanes => 16;

    public static int Elements => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Read(ArrayView<Word4> local, int row, int lane) => local.Cast<ushort>()[8 * row + lane];
}

/// <summary>
/// cl_intel_subgroup_matrix_multiply_accumulate: a work item has a part of each of eight rows of the left operand, and a whole row of the
/// right one.
/// </summary>
internal readonly struct IntelLayout<TShare> : IMatrixLayout where TShare : struct, IIntelShare
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes => TShare.Lanes;

    public static int Rows => 8;

    public static int Columns => TShare.Lanes;

    public static int LeftElements => TShare.Elements;

    public static int Registers => 8;

    [MethodImpl(Inline)]
    public static int LeftRow(int lane, int register) => register;

    [MethodImpl(Inline)]
    public static int LeftElement(int lane, int register) => TShare.Elements * lane;

    [MethodImpl(Inline)]
    public static int RightRow(int lane, int register) => lane;

    [MethodImpl(Inline)]
    public static int RightElement(int lane, int register) => 2 * register;

    [MethodImpl(Inline)]
    public static int SumRow(int lane, int register) => register;

    [MethodImpl(Inline)]
    public static int SumColumn(int lane, int register) => lane;

    [MethodImpl(Inline)]
    public static Word8 ReadLeft(ArrayView<Word4> local, int at, int pitch, int lane) => new()
    {
        A = TShare.Read(local, at, lane),
        B = TShare.Read(local, at + pitch, lane),
        C = TShare.Read(local, at + 2 * pitch, lane),
        D = TShare.Read(local, at + 3 * pitch, lane),
        E = TShare.Read(local, at + 4 * pitch, lane),
        F = TShare.Read(local, at + 5 * pitch, lane),
        G = TShare.Read(local, at + 6 * pitch, lane),
        H = TShare.Read(local, at + 7 * pitch, lane),
    };

    [MethodImpl(Inline)]
    public static Word8 ReadRight(ArrayView<Word4> local, int at, int pitch, int lane) => MatrixLayouts.Row(local, at + lane * pitch);
}
