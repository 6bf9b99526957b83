using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Cases of float32 operands that are multiplied as TF32.</summary>
public static class TensorFloat32
{
    private const double Tolerance = 2.0 / 1024;

    /// <summary>
    /// The case with the tolerance of results around those of whole float32 numbers. TF32 has 10 bits of mantissa behind the first, so a
    /// rounded operand is off by at most 2⁻¹¹ of itself, and a product by 2⁻¹⁰, by a third of that on average. Such errors add like a
    /// random walk, and so do random products: the rms error of a sum is a third of 2⁻¹⁰ of the sums' rms. The worst of thousands of sums
    /// may be five times the rms error. A gated result is the product of two sums.
    /// </summary>
    public static OpCase Near(OpCase @case) => @case with { Tolerance = @case.Op is GatedMatMul ? 2 * Tolerance : Tolerance };

    /// <summary>
    /// The case with rounded operands, which give the result of TF32 within twice the tolerance of float32, whose sums are in blocks of K:
    /// here each is one chain of additions.
    /// </summary>
    public static OpCase Rounded(OpCase @case)
    {
        int operands = 1 + (@case.Op is GroupedMatMul grouped ? grouped.Count : 1);
        return @case with
        {
            Tolerance = 2 * @case.Tolerance,
            Inputs = [.. @case.Inputs.Select((input, i) =>
                i < operands ? input with { Values = at => Rounded((float)input.Values(at)) } : input)],
        };
    }

    /// <summary>The nearest TF32 number, ties away from zero.</summary>
    public static float Rounded(float value)
    {
        const uint Half = 1 << 12;
        return float.IsFinite(value) ? BitConverter.UInt32BitsToSingle((BitConverter.SingleToUInt32Bits(value) + Half) & ~(2 * Half - 1))
            : value;
    }
}
