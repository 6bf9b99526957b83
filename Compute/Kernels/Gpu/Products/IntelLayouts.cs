using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>cl_intel_subgroup_matrix_multiply_accumulate, sub-groups of 8 (Xe-HPG): a work item has two elements of each of eight rows; of the right operand a whole row.</summary>
internal readonly struct Intel8Layout : IMatrixLayout
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes => 8;

    public static int Rows => 8;

    public static int Columns => 8;

    public static int LeftElements => 2;

    public static int Registers => 8;

    [MethodImpl(Inline)]
    public static int LeftRow(int lane, int register) => register;

    [MethodImpl(Inline)]
    public static int LeftElement(int lane, int register) => 2 * lane;

    [MethodImpl(Inline)]
    public static int RightRow(int lane, int register) => lane;

    [MethodImpl(Inline)]
    public static int RightElement(int lane, int register) => 2 * register;

    [MethodImpl(Inline)]
    public static int SumRow(int lane, int register) => register;

    [MethodImpl(Inline)]
    public static int SumColumn(int lane, int register) => lane;

    [MethodImpl(Inline)]
    public static Word8 ReadLeft(ArrayView<Word4> local, int at, int pitch, int lane)
    {
        var words = local.Cast<uint>();
        int from = 4 * at + lane, step = 4 * pitch;
        return new()
        {
            A = words[from],
            B = words[from + step],
            C = words[from + 2 * step],
            D = words[from + 3 * step],
            E = words[from + 4 * step],
            F = words[from + 5 * step],
            G = words[from + 6 * step],
            H = words[from + 7 * step],
        };
    }

    [MethodImpl(Inline)]
    public static Word8 ReadRight(ArrayView<Word4> local, int at, int pitch, int lane) => MatrixLayouts.Row(local, at + lane * pitch);
}

/// <summary>The same with sub-groups of 16 (Xe-HPC, Xe2): a work item has one element of each of eight rows.</summary>
internal readonly struct Intel16Layout : IMatrixLayout
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes => 16;

    public static int Rows => 8;

    public static int Columns => 16;

    public static int LeftElements => 1;

    public static int Registers => 8;

    [MethodImpl(Inline)]
    public static int LeftRow(int lane, int register) => register;

    [MethodImpl(Inline)]
    public static int LeftElement(int lane, int register) => lane;

    [MethodImpl(Inline)]
    public static int RightRow(int lane, int register) => lane;

    [MethodImpl(Inline)]
    public static int RightElement(int lane, int register) => 2 * register;

    [MethodImpl(Inline)]
    public static int SumRow(int lane, int register) => register;

    [MethodImpl(Inline)]
    public static int SumColumn(int lane, int register) => lane;

    [MethodImpl(Inline)]
    public static Word8 ReadLeft(ArrayView<Word4> local, int at, int pitch, int lane)
    {
        var elements = local.Cast<ushort>();
        int from = 8 * at + lane, step = 8 * pitch;
        return new()
        {
            A = elements[from],
            B = elements[from + step],
            C = elements[from + 2 * step],
            D = elements[from + 3 * step],
            E = elements[from + 4 * step],
            F = elements[from + 5 * step],
            G = elements[from + 6 * step],
            H = elements[from + 7 * step],
        };
    }

    [MethodImpl(Inline)]
    public static Word8 ReadRight(ArrayView<Word4> local, int at, int pitch, int lane) => MatrixLayouts.Row(local, at + lane * pitch);
}
