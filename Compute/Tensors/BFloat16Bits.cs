namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>Conversions between float32 and the bits of bfloat16, for which .NET 10 has no type.</summary>
public static class BFloat16Bits
{
    /// <summary>The nearest bfloat16, ties to even; NaN stays NaN.</summary>
    public static ushort Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The same value as float32.</summary>
    public static float Widen(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
}
