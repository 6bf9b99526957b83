using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The int8 GEMM implementation for this processor's instructions; sums are exact.</summary>
internal sealed class Int8Gemm
{
    private const int OffsetOfUnsigned = 128;

    private Int8Gemm(IntegerTile tile, int perLane, Packer weightPacker, int weightOffset = 0) =>
        (Tile, PerLane, WeightPacker, WeightOffset) = (tile, perLane, weightPacker, weightOffset);

    /// <summary>The implementations that this processor supports, fastest first. All give the same sums.</summary>
    public static IReadOnlyList<Int8Gemm> Supported { get; } = [.. Ways()];

    /// <summary>The fastest implementation that this processor supports.</summary>
    public static Int8Gemm Best => Supported[0];

    /// <summary>The micro-kernel, over 32-bit lanes that hold <see cref="PerLane"/> integers.</summary>
    public IntegerTile Tile { get; }

    /// <summary>Integers per lane: two int16, or four bytes.</summary>
    public int PerLane { get; }

    /// <summary>
    /// Added to each weight during packing, where the processor multiplies signed by unsigned bytes; the result is corrected by this times
    /// the row's sum of activations.
    /// </summary>
    public int WeightOffset { get; }

    /// <summary>Packs rows of int8 weights into lanes.</summary>
    public Packer WeightPacker { get; }

    /// <summary>32-bit lanes that a row of <paramref name="depth"/> integers takes.</summary>
    public int Lanes(int depth) => IntegerMath.CeilDiv(depth, PerLane);

    /// <summary>Micro-kernel and integers per lane, such as <c>Int16Dot256 by 2</c>.</summary>
    public override string ToString() => $"{Tile.GetType().GenericTypeArguments[0].Name} by {PerLane}";

    private static IEnumerable<Int8Gemm> Ways()
    {
        if (AvxVnni.IsSupported) yield return new(new IntegerTile6<UInt8Dot256>(), 4, Packer.UInt8Quads, OffsetOfUnsigned);
        if (Dp.IsSupported) yield return new(new IntegerTile12<Int8Dot128>(), 4, Packer.Float32);
        if (SimdWidth.Bits == 512) yield return new(new IntegerTile12<Int16Dot512>(), 2, Packer.Int8Pairs);
        if (SimdWidth.Bits >= 256) yield return new(new IntegerTile6<Int16Dot256>(), 2, Packer.Int8Pairs);
        yield return new(new IntegerTile6<Int16Dot128>(), 2, Packer.Int8Pairs);
    }
}
