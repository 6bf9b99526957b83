using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ILGpuDiffusion.Compute;

/// <summary>How this processor multiplies int8 fastest while sums stay exact.</summary>
internal sealed class IntegerProduct
{
    /// <summary>The fastest way that this processor has.</summary>
    public static IntegerProduct Best { get; } =
        AvxVnni.IsSupported ? new(new GemmTile6<UInt8Dot256>(), 4, Packer.UInt8Quads)
        : Vector512.IsHardwareAccelerated ? new(new GemmTile12<Int16Dot512>(), 2, Packer.Int8Pairs)
        : Vector256.IsHardwareAccelerated ? new(new GemmTile6<Int16Dot256>(), 2, Packer.Int8Pairs)
        : new(new GemmTile6<Int16Dot128>(), 2, Packer.Int8Pairs);

    private IntegerProduct(GemmTile tile, int perLane, Packer weightPacker) => (Tile, PerLane, WeightPacker) = (tile, perLane, weightPacker);

    /// <summary>Works on 32-bit lanes that hold <see cref="PerLane"/> integers.</summary>
    public GemmTile Tile { get; }

    /// <summary>Integers per lane: two int16, or four bytes.</summary>
    public int PerLane { get; }

    /// <summary>What packing adds to each weight, because the processor multiplies signed with unsigned bytes: as many times a row's sum of activations is taken from its results.</summary>
    public int WeightOffset => PerLane == 4 ? 128 : 0;

    /// <summary>Brings rows of int8 weights into lanes.</summary>
    public Packer WeightPacker { get; }

    /// <summary>Bytes of one activation.</summary>
    public int ActivationBytes => sizeof(int) / PerLane;
}
