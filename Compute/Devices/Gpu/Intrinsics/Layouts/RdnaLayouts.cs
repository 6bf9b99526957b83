using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// AMD's WMMA instructions of gfx11, waves of 32: a work item has a whole row of both operands; lanes 16 to 31 repeat lanes 0 to 15.
/// </summary>
internal readonly struct Rdna3Layout : IMatrixLayout
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes => 32;

    public static int Rows => 16;

    public static int Columns => 16;

    public static int LeftElements => 2;

    public static int Registers => 8;

    [MethodImpl(Inline)]
    public static int LeftRow(int lane, int register) => lane & 15;

    [MethodImpl(Inline)]
    public static int LeftElement(int lane, int register) => 2 * register;

    [MethodImpl(Inline)]
    public static int RightRow(int lane, int register) => LeftRow(lane, register);

    [MethodImpl(Inline)]
    public static int RightElement(int lane, int register) => LeftElement(lane, register);

    [MethodImpl(Inline)]
    public static int SumRow(int lane, int register) => 2 * register + (lane >> 4);

    [MethodImpl(Inline)]
    public static int SumColumn(int lane, int register) => lane & 15;

    [MethodImpl(Inline)]
    public static Word8 ReadLeft(ArrayView<Word4> local, int at, int pitch, int lane) => MatrixLayouts.Row(local, at + (lane & 15) * pitch);

    [MethodImpl(Inline)]
    public static Word8 ReadRight(ArrayView<Word4> local, int at, int pitch, int lane) => ReadLeft(local, at, pitch, lane);
}

/// <summary>AMD's WMMA instructions of gfx12, waves of 32: a work item has half a row of both operands.</summary>
internal readonly struct Rdna4Layout : IMatrixLayout
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes => 32;

    public static int Rows => 16;

    public static int Columns => 16;

    public static int LeftElements => 2;

    public static int Registers => 4;

    [MethodImpl(Inline)]
    public static int LeftRow(int lane, int register) => lane & 15;

    [MethodImpl(Inline)]
    public static int LeftElement(int lane, int register) => 8 * (lane >> 4) + 2 * register;

    [MethodImpl(Inline)]
    public static int RightRow(int lane, int register) => LeftRow(lane, register);

    [MethodImpl(Inline)]
    public static int RightElement(int lane, int register) => LeftElement(lane, register);

    [MethodImpl(Inline)]
    public static int SumRow(int lane, int register) => register + 8 * (lane >> 4);

    [MethodImpl(Inline)]
    public static int SumColumn(int lane, int register) => lane & 15;

    [MethodImpl(Inline)]
    public static Word8 ReadLeft(ArrayView<Word4> local, int at, int pitch, int lane)
    {
        Word4 half = local[at + (lane & 15) * pitch + (lane >> 4)];
        return new() { A = half.X, B = half.Y, C = half.Z, D = half.W };
    }

    [MethodImpl(Inline)]
    public static Word8 ReadRight(ArrayView<Word4> local, int at, int pitch, int lane) => ReadLeft(local, at, pitch, lane);
}
