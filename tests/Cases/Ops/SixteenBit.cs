using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>
/// The cases of every op with 16-bit activations, derived from those in Float32, and the tolerance of results in 16 bits.
/// </summary>
public static class SixteenBit
{
    /// <summary>All cases that change if activations have a 16-bit type.</summary>
    public static IEnumerable<OpCase> Cases(DType dtype) =>
        OpCatalog.Cases.SelectMany(c => c.Cases).Select(c => c.With(dtype)).OfType<OpCase>();

    /// <summary>
    /// The case with its activations, and parameters that may have their type, stored in 16 bits; null if the op keeps them in Float32 or
    /// the case already has 16-bit activations. Activations are the first arguments of every op: as many leading Float32 arguments change
    /// as the op accepts with the others unchanged.
    /// </summary>
    public static OpCase? With(this OpCase @case, DType dtype)
    {
        for (int count = @case.Inputs.Length; count > 0; count--)
        {
            CaseTensor[] inputs = [.. @case.Inputs.Select((input, i) =>
                i < count && input.DType == DType.Float32 ? In(dtype, input) : input)];
            if (inputs.SequenceEqual(@case.Inputs) || inputs[0].DType != dtype) continue;
            try
            {
                _ = @case.Op.Infer([.. inputs.Select(i => new TensorType(i.DType, i.Shape))]);
                double roundings = @case.RoundingsIn16Bits * UnitOfRounding(dtype);
                return @case with { Name = $"{@case.Name}, {dtype}", Inputs = inputs, Tolerance = @case.Tolerance + roundings };
            }
            catch (ShapeException)
            {
                // The op does not accept this many.
            }
        }

        return null;
    }

    /// <summary>The same argument; finite numbers beyond the type's range become its largest, because infinity has its own case.</summary>
    private static CaseTensor In(DType dtype, CaseTensor input)
    {
        double most = dtype == DType.Float16 ? (double)Half.MaxValue : double.MaxValue;
        return input with
        {
            DType = dtype,
            Values = i => double.IsFinite(input.Values(i)) ? Math.Clamp(input.Values(i), -most, most) : input.Values(i)
        };
    }

    /// <summary>
    /// The tolerance around the reference <paramref name="expected"/> if arithmetic within <paramref name="slack"/> of it is in
    /// float32 and rounded once, to nearest: half a unit in the last place of 11 or 8 bits (relative 2⁻¹¹ or 2⁻⁸), and half of the smallest
    /// subnormal float16. Without slack it must be the reference's own rounding.
    /// </summary>
    public static double Bound(DType dtype, double expected, double slack)
    {
        if (slack == 0) return Math.Abs(Rounded(dtype, expected) - expected);
        return dtype switch
        {
            DType.Float16 => slack + Math.ScaleB(Math.Abs(expected) + slack, -11) + Math.ScaleB(1, -25),
            DType.BFloat16 => slack + Math.ScaleB(Math.Abs(expected) + slack, -8),
            _ => slack,
        };
    }

    /// <summary>Largest relative error of rounding to a 16-bit type: half a unit in the last place of 11 or 8 bits.</summary>
    public static double UnitOfRounding(DType dtype) => Math.ScaleB(1, dtype == DType.Float16 ? -11 : -8);

    /// <summary>A number rounded to an element type, ties to even.</summary>
    public static double Rounded(DType dtype, double value) => dtype switch
    {
        DType.Float16 => (double)(Half)value,
        DType.BFloat16 => BFloat16Bits.Widen(BFloat16Bits.Round((float)value)),
        _ => value,
    };
}
