using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Compares results with an op's float64 definition.</summary>
internal static class OpReference
{
    /// <summary>Fails unless every element is within the case's tolerance of the reference.</summary>
    public static void Verify(string name, double[] actual) => Verify(OpCatalog.Find(name).Case, actual);

    /// <summary>
    /// Fails unless every element is within the case's tolerance of the reference, and of its rounding if the result has 16 bits.
    /// </summary>
    public static void Verify(OpCase @case, double[] actual)
    {
        var cases = OpCatalog.Cases.Single(c => c.Op == @case.Op.GetType());
        ReferenceTensor[] inputs = [.. @case.Inputs.Select(i => i.Reference())];
        var type = @case.Op.Infer([.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))]);
        var shape = type.Concrete();
        double[] expected = cases.Reference(@case.Op, inputs, shape);
        Assert.Equal(expected.Length, actual.Length);
        double rms = Math.Sqrt(expected.Where(double.IsFinite).Select(v => v * v).DefaultIfEmpty(0).Average());
        for (int i = 0; i < expected.Length; i++)
        {
            double slack = @case.Tolerance * Math.Max(rms, Math.Abs(expected[i])), bound = SixteenBit.Bound(type.DType, expected[i], slack);
            bool equal = expected[i].Equals(actual[i]) || SixteenBit.Rounded(type.DType, expected[i]).Equals(actual[i])
                || Math.Abs(expected[i] - actual[i]) <= bound;
            Assert.True(equal, $"{@case}: element {i} of {shape} is {actual[i]:G9}; the reference says {expected[i]:G9} (rms {rms:G3}, "
                + $"tolerance {@case.Tolerance:G2} of the larger, bound {bound:G3}).");
        }
    }
}
