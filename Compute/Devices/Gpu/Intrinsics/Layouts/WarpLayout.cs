using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>CUDA warps, with two adjacent instructions of eight columns each: see <see cref="MatrixInstructions"/>.</summary>
internal readonly struct WarpLayout : IMatrixLayout
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Lanes => 32;

    public static int Rows => 16;

    public static int Columns => 16;

    public static int LeftElements => 2;

    public static int Registers => 4;

    [MethodImpl(Inline)]
    public static int LeftRow(int lane, int register) => (lane >> 2) + 8 * (register & 1);

    [MethodImpl(Inline)]
    public static int LeftElement(int lane, int register) => 2 * (lane & 3) + 8 * (register >> 1);

    [MethodImpl(Inline)]
    public static int RightRow(int lane, int register) => (lane >> 2) + 8 * (register >> 1);

    [MethodImpl(Inline)]
    public static int RightElement(int lane, int register) => 2 * (lane & 3) + 8 * (register & 1);

    [MethodImpl(Inline)]
    public static int SumRow(int lane, int register) => (lane >> 2) + 8 * ((register >> 1) & 1);

    [MethodImpl(Inline)]
    public static int SumColumn(int lane, int register) => 2 * (lane & 3) + (register & 1) + 8 * (register >> 2);

    [MethodImpl(Inline)]
    public static Word8 ReadLeft(ArrayView<Word4> local, int at, int pitch, int lane)
    {
        var words = local.Cast<uint>();
        int from = 4 * (at + (lane >> 2) * pitch) + (lane & 3), below = 32 * pitch;
        return new() { A = words[from], B = words[from + below], C = words[from + 4], D = words[from + below + 4] };
    }

    [MethodImpl(Inline)]
    public static Word8 ReadRight(ArrayView<Word4> local, int at, int pitch, int lane)
    {
        var words = local.Cast<uint>();
        int from = 4 * (at + (lane >> 2) * pitch) + (lane & 3), below = 32 * pitch;
        return new() { A = words[from], B = words[from + 4], C = words[from + below], D = words[from + below + 4] };
    }
}
