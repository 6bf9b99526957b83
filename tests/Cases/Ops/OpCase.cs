using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>One call of an op, which tests check and perf measures.</summary>
/// <param name="Name">Describes what is special about it.</param>
/// <param name="Op">The op with its attributes.</param>
/// <param name="Inputs">The arguments.</param>
/// <param name="Tolerance">Largest allowed |actual − reference|, relative to the larger of |reference| and the reference's root mean
/// square.</param>
public sealed record OpCase(string Name, Op Op, CaseTensor[] Inputs, double Tolerance)
{
    /// <summary>
    /// How many units of rounding (2⁻¹¹ in Float16, 2⁻⁸ in BFloat16) <see cref="SixteenBit.With"/> adds to the tolerance: more than 0 if
    /// the op may round intermediate values to its arguments' 16-bit type.
    /// </summary>
    public double RoundingsIn16Bits { get; init; }

    /// <summary>Op and name, for lists of tests.</summary>
    public override string ToString() => $"{Op.Name}: {Name}";
}

/// <summary>The cases of one op and its definition in float64, written for readability. One class per op, found by reflection.</summary>
public interface IOpCases
{
    /// <summary>The op's record type.</summary>
    Type Op { get; }

    /// <summary>Tiny, one, odd widths, real model sizes, column views, extremes; each once.</summary>
    IEnumerable<OpCase> Cases { get; }

    /// <summary>The result in float64, row-major.</summary>
    /// <param name="op">The op with its attributes.</param>
    /// <param name="inputs">The stored arguments, widened to float64.</param>
    /// <param name="output">The result's sizes.</param>
    double[] Reference(Op op, ReferenceTensor[] inputs, Shape output);
}

/// <summary>An argument in float64, row-major.</summary>
/// <param name="Shape">Its sizes.</param>
/// <param name="Values">Its elements.</param>
public sealed record ReferenceTensor(Shape Shape, double[] Values)
{
    /// <summary>Number of rows.</summary>
    public int Rows => Shape.Rows;

    /// <summary>Elements per row.</summary>
    public int Width => Shape.Last;

    /// <summary>One row's elements.</summary>
    public ReadOnlySpan<double> Row(int row) => Values.AsSpan(row * Width, Width);
}
