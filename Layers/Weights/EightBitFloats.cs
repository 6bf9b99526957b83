namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// The 8-bit floats of the Open Compute Project's specification (OFP8, revision 1.0, 2023), torch.float8_e4m3fn and torch.float8_e5m2. All
/// values are exact in Float16, BFloat16 and Float32.
/// </summary>
internal static class EightBitFloats
{
    /// <summary>
    /// Sign, 4 bits of exponent (bias 7), 3 of mantissa. It has no infinities; only the codes 7F and FF are NaN, and the largest number is
    /// 448.
    /// </summary>
    public static float E4M3(byte code) => (code & 0x7F) == 0x7F ? float.NaN : code >= 0x80 ? -Magnitude(code & 0x7F) : Magnitude(code);

    /// <summary>
    /// Sign, 5 bits of exponent (bias 15), 2 of mantissa, with infinities and NaNs as in IEEE 754: the upper half of a Float16.
    /// </summary>
    public static float E5M2(byte code) => (float)BitConverter.UInt16BitsToHalf((ushort)(code << 8));

    private static float Magnitude(int code)
    {
        const int Bias = 7, MantissaBits = 3, One = 1 << MantissaBits;
        int exponent = code >> MantissaBits, mantissa = code & (One - 1);
        return exponent == 0 ? MathF.ScaleB(mantissa, 1 - Bias - MantissaBits)
            : MathF.ScaleB(One + mantissa, exponent - Bias - MantissaBits);
    }
}
