using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Whole models with linear layers in dynamic int8: close to the float32 ones, but not equal.</summary>
public sealed class QuantizedModelTests
{
    [Theory]
    [InlineData("tiny-sdxl", 6, 0.070)]
    [InlineData("tiny-sd15", 0, 0.034)]
    public void UNet_Int8_IsNearTheReference(string model, int timeIds, double measured)
    {
        var golden = Golden.Open($"{model}-goldens/unet_detail")["detail"];
        using var unet = TestUNet.Open(model, timeIds, golden.Inputs.ContainsKey("encoder_attention_mask"), quantize: true);
        double error = Difference(unet.Run(golden, ["sample"])["sample"], golden.Output("sample"));
        TestContext.Current.TestOutputHelper?.WriteLine($"{model}: {error:g3} of rms");
        // random weights amplify errors: rounding them to bfloat16 gives 0.016 after two steps
        Assert.InRange(error, measured / 10, 1.5 * measured);
    }

    [Fact]
    public void EmbeddedModel_Int8_DrawsNearlyTheSameImage()
    {
        var (exact, int8) = (Draw(QuantizationMode.None), Draw(QuantizationMode.Int8));
        double mean = exact.Pixels.Zip(int8.Pixels, (a, b) => Math.Abs(a - b)).Average();
        TestContext.Current.TestOutputHelper?.WriteLine($"images differ by {mean:g3} of 255 on average");
        Assert.InRange(mean, 1e-3, 1); // 0.47 measured
    }

    private static Image Draw(QuantizationMode quantization)
    {
        using var pipeline = DiffusionPipeline.FromPretrained(EmbeddedModel.Folder, new PipelineOptions { Quantize = quantization });
        return pipeline.Generate(new ImageRequest("a red heart") { Steps = 8, Seed = 3 }, null, default).Images[0];
    }

    private static double Difference(float[] actual, float[] expected) =>
        Close.Rms([.. actual.Zip(expected, (a, b) => a - b)]) / Close.Rms(expected);
}
