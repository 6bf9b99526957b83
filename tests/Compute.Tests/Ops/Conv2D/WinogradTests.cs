using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Winograd and direct convolution, at sizes where the op would choose either.</summary>
public sealed class WinogradTests
{
    private const string Winograd = "cpu/winograd4x4", Direct = "cpu/packed";
    private const double StatedError = 8e-7; // as WinogradTransforms states it

    public static TheoryData<string> SharedCases => [.. new Conv2DCases().Cases.Where(Fits).Select(c => c.Name)];

    /// <summary>Sizes for which the op chooses the direct GEMM, but which the transforms must support.</summary>
    [Theory]
    [InlineData(1, 1, 1, 1, 1, 1)]
    [InlineData(3, 1, 2, 5, 3, 1)]
    [InlineData(1, 4, 4, 16, 16, 0)]
    [InlineData(1, 5, 3, 31, 31, 1)]
    [InlineData(2, 3, 9, 17, 65, 2)]
    public void Winograd_AnySize_MatchesReference(int n, int height, int width, int channels, int outputs, int padding)
    {
        if (height + 2 * padding < 3) Assert.Fail("The image is smaller than the kernel.");
        var @case = Convolution(n, height, width, channels, outputs, padding);
        foreach (int threads in new[] { 1, 3 }) Assert.InRange(LargestError(@case, Winograd, threads), 0, 4e-6);
    }

    [Theory, MemberData(nameof(SharedCases))]
    public void DirectGemm_WhereWinogradIsChosen_MatchesReference(string name)
    {
        var @case = new Conv2DCases().Cases.Single(c => c.Name == name);
        Assert.InRange(LargestError(@case, Direct, threads: 2), 0, @case.Tolerance);
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(320)]
    [InlineData(1280)]
    [InlineData(2560)]
    public void Winograd_RelativeRmsError_IsAsStated(int channels)
    {
        var @case = Convolution(1, 16, 16, channels, 32, padding: 1);
        double[] expected = Reference(@case), actual = Run(@case, Winograd, threads: 2), direct = Run(@case, Direct, threads: 2);
        double error = Rms(expected.Zip(actual, (e, a) => a - e)) / Rms(expected),
            directError = Rms(expected.Zip(direct, (e, a) => a - e)) / Rms(expected);
        TestContext.Current.SendDiagnosticMessage($"{channels} channels: relative rms error {error:G3}; direct GEMM {directError:G3}.");
        Assert.InRange(error, 0, StatedError);
    }

    private static bool Fits(OpCase @case)
    {
        TensorType[] inputs = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
        return @case.Op.Kernels.Variants.Single(v => v.Name == Winograd)
            .SupportsShape(new OpSignature(@case.Op, inputs, @case.Op.Infer(inputs)));
    }

    private static OpCase Convolution(int n, int height, int width, int channels, int outputs, int padding) =>
        new("", new Conv2D(1, padding, padding),
            [CaseTensor.Normal([n, height, width, channels], 1, padding: 3),
                CaseTensor.Normal([outputs, channels, 3, 3], 2, 1 / Math.Sqrt(9 * channels)), CaseTensor.Normal([outputs], 3)],
                    Tolerance: 0);

    private static double LargestError(OpCase @case, string variant, int threads)
    {
        double[] expected = Reference(@case), actual = Run(@case, variant, threads);
        double rms = Rms(expected);
        return expected.Zip(actual, (e, a) => Math.Abs(a - e) / Math.Max(rms, Math.Abs(e))).Max();
    }

    private static double[] Run(OpCase @case, string variant, int threads)
    {
        using var device = new CpuDevice(threads);
        using var bound = new BoundCase(device, @case, outputPadding: 3, variant: variant);
        bound.Run();
        return bound.Read();
    }

    private static double[] Reference(OpCase @case)
    {
        ReferenceTensor[] inputs = [.. @case.Inputs.Select(i => i.Reference())];
        return new Conv2DCases().Reference(@case.Op, inputs,
            @case.Op.Infer([.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))]).Concrete());
    }

    private static double Rms(IEnumerable<double> values) => Math.Sqrt(values.Average(v => v * v));
}
