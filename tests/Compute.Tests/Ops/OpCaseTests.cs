using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Every case of every op on every device, against the op's float64 definition.</summary>
public sealed class OpCaseTests
{
    public static TheoryData<string> CaseNames => [.. OpCatalog.Cases.SelectMany(c => c.Cases).Select(c => c.ToString())];

    [Theory, MemberData(nameof(CaseNames))]
    public void Case_OnCpu_MatchesReference(string name)
    {
        var (cases, @case) = OpCatalog.Cases.SelectMany(cases => cases.Cases.Select(@case => (cases, @case))).Single(pair => pair.@case.ToString() == name);
        using var device = new CpuDevice(threads: 2);
        var (actual, shape) = OpCatalog.Run(device, @case);
        double[] expected = cases.Reference(@case.Op, [.. @case.Inputs.Select(i => i.Reference())], shape);
        Assert.Equal(expected.Length, actual.Length);
        double rms = Math.Sqrt(expected.Where(double.IsFinite).Select(v => v * v).DefaultIfEmpty(0).Average());
        for (int i = 0; i < expected.Length; i++)
        {
            bool equal = expected[i].Equals(actual[i]) || Math.Abs(expected[i] - actual[i]) <= @case.Tolerance * Math.Max(rms, Math.Abs(expected[i]));
            Assert.True(equal, $"{name}: element {i} of {shape} is {actual[i]:G9}; the reference says {expected[i]:G9} (rms {rms:G3}, tolerance {@case.Tolerance:G2} of the larger).");
        }
    }
}
