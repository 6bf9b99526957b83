using System.Runtime.Intrinsics.Arm;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// The GEMM micro-kernel of one register tile: <see cref="Rows"/> × <see cref="Columns"/> accumulators stay in registers over the whole of
/// K. The right operand is packed: <c>b[k][Columns]</c>; the left one, whose elements are broadcast one by one, need not be.
/// </summary>
internal abstract unsafe class GemmTile
{
    /// <summary>The widest tile that this processor runs at full speed.</summary>
    public static GemmTile Best { get; } =
        SimdWidth.Bits == 512 ? new GemmTile12<Simd512>()
        : SimdWidth.Bits >= 256 ? new GemmTile6<Simd256>()
        : AdvSimd.Arm64.IsSupported ? new GemmTile12<Simd128>()
        : new GemmTile6<Simd128>();

    /// <summary>Rows of a tile.</summary>
    public abstract int Rows { get; }

    /// <summary>Columns of a tile, two vectors: packed b has this pitch.</summary>
    public abstract int Columns { get; }

    /// <summary>c = a·b + bias, or c += a·b. Each result is summed in ascending order of the inner index, whatever the tile.</summary>
    /// <param name="depth">K.</param>
    /// <param name="a">Left operand: element k of row r is <c>a[r * rowPitch + k * step]</c>.</param>
    /// <param name="rowPitch">Elements between rows of a; 1 if a is transposed.</param>
    /// <param name="step">Elements between consecutive k in a row of a; 1 unless a is transposed.</param>
    /// <param name="b">Packed right operand, [depth, Columns].</param>
    /// <param name="c">First result; full rows of <see cref="Columns"/> are written.</param>
    /// <param name="pitch">Elements between rows of c.</param>
    /// <param name="rows">Number of rows written, 1 … Rows. All Rows of a are read; the contents of the rest do not matter.</param>
    /// <param name="accumulate">Whether to add to what c holds.</param>
    /// <param name="bias">Values to add to each row, [Columns], or null.</param>
    public abstract void Multiply(nint depth, float* a, nint rowPitch, nint step, float* b, float* c, nint pitch, int rows, bool accumulate,
        float* bias);
}
