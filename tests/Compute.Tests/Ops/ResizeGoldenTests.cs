using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Resizing against PyTorch's <c>interpolate</c> and average pooling.</summary>
[OperatorGoldens("upsample")]
public sealed class ResizeGoldenTests
{
    [Theory]
    [InlineData("nearest_2x", Interpolation.Nearest)]
    [InlineData("nearest_to_9x15", Interpolation.Nearest)]
    [InlineData("nearest_to_3x4", Interpolation.Nearest)]
    [InlineData("bilinear_2x", Interpolation.Bilinear)]
    [InlineData("bilinear_to_8x3", Interpolation.Bilinear)]
    public void Upsample_OfRecordedInput_MatchesPyTorch(string name, Interpolation interpolation)
    {
        var recorded = Golden.Open(OperatorGoldensAttribute.Set)["upsample"];
        var x = recorded.InputImage("x");
        var size = recorded.OutputShape(name);
        CaseTensor[] inputs = name.EndsWith("2x", StringComparison.Ordinal) ? [x] : [x, new CaseTensor([1, size[2], size[3], 1], _ => 0)];
        recorded.CheckNoise(name, OpRunner.Run(new Upsample(interpolation), inputs).Planes());
    }

    [Fact]
    public void AveragePooling_AsConvolutionOfRecordedInput_MatchesPyTorch()
    {
        var recorded = Golden.Open(OperatorGoldensAttribute.Set)["upsample"];
        var quarter = new CaseTensor([3, 3, 2, 2], i => i / 4 % 3 == i / 12 ? 0.25 : 0); // each channel only from itself
        recorded.CheckNoise("avg_pool_2", OpRunner.Run(new Conv2D(Stride: 2), recorded.InputImage("x"), quarter).Planes());
    }

    [Fact]
    public void Golden_OfUpsampling_HasTheSixComparedOutputs() =>
        Assert.Equal(6, Golden.Open(OperatorGoldensAttribute.Set)["upsample"].Outputs.Count);
}
