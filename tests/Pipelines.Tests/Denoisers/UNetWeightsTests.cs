using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Denoisers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Weights stored in half precision, and weights that do not fit the model.</summary>
public sealed class UNetWeightsTests : IDisposable
{
    private static readonly string[] Outputs = ["sample"];
    private readonly CpuDevice device = new(2);

    public void Dispose() => device.Dispose();

    [Theory]
    [InlineData("tiny-sdxl", 6)]
    [InlineData("tiny-sd15", 0)]
    public void Run_WeightsStoredAsFloat16_SameBitsAsFloat32(string model, int timeIds)
    {
        // The recorded weights are exact in float16, and both widen to the same float32 before any arithmetic.
        Assert.Equal(Run(model, timeIds, w => w), Run(model, timeIds, w => w.As(device, DType.Float16)));
    }

    /// <summary>
    /// bfloat16 keeps 8 of float16's 11 significant bits, so each weight has a relative error of up to 2⁻⁹. Its effect on the prediction is
    /// a property of the model (these random ones have a raised gain in attention), not of the engine, which must give exactly the result
    /// of the rounded weights.
    /// </summary>
    [Theory]
    [InlineData("tiny-sdxl", 6, 0.04)] // measured 0.034, at worst 0.14
    [InlineData("tiny-sd15", 0, 0.02)] // measured 0.015, at worst 0.06
    [InlineData("tiny-sd21-v", 0, 0.02)] // measured 0.017, at worst 0.07
    public void Run_WeightsStoredAsBFloat16_SameBitsAsRoundedFloat32(string model, int timeIds, double allowedRms)
    {
        float[] exact = Run(model, timeIds, w => w), stored = Run(model, timeIds, w => w.As(device, DType.BFloat16));

        Assert.Equal(Run(model, timeIds, w => w.As(device, DType.Float32, rounding: DType.BFloat16)), stored);
        double error = Close.Rms([.. exact.Zip(stored, (e, s) => s - e)]) / Close.Rms(exact),
            largest = exact.Zip(stored, (e, s) => Math.Abs(s - e)).Max() / Close.Rms(exact);
        TestContext.Current.SendDiagnosticMessage($"{model} with bfloat16 weights: error {error:g3} of rms, at worst {largest:g3}");
        Assert.InRange(error, 1e-3, allowedRms); // below: the weights were not rounded
    }

    [Fact]
    public void Run_Float16FileOfTheSameModel_SameBits()
    {
        string folder = Golden.Folder("tiny-sd15/unet");
        var golden = Golden.Open("tiny-sd15-goldens/unet")["fwd_b2_12x20_t500"];
        using var wide = new TestUNet(folder, 0);
        using var half = new TestUNet(folder, 0, variant: "fp16");

        Assert.Equal(wide.Run(golden, Outputs)["sample"], half.Run(golden, Outputs)["sample"]);
    }

    [Fact]
    public void Load_TensorMissing_NamesTensorAndModule()
    {
        const string Name = "mid_block.attentions.0.transformer_blocks.1.attn2.to_k.weight";
        var e = LoadFails(w => w.With(Name, null));
        Assert.Contains(Name, e.Message);
        Assert.Contains("Linear", e.Message);
        Assert.Contains("[64, 80]", e.Message);
    }

    [Fact]
    public void Load_TensorSurplus_IsLeftOutWithAWarning()
    {
        string folder = Golden.Folder("tiny-sdxl/unet");
        using var checkpoint = Checkpoint.OpenFolder(folder);
        using var log = new CollectingLoggerFactory();
        var unet = new UNet2DConditionModel(ModelConfig.Load(Path.Combine(folder, "config.json")));
        unet.Load(new TestWeights(checkpoint).With("mid_block.surplus.weight", Zeros(DType.Float32, [3])), log);
        Assert.Contains("1 tensor(s) have no place in UNet2DConditionModel and are", Assert.Single(log.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TensorMisshaped_NamesTensorModuleAndBothShapes()
    {
        var e = LoadFails(w => w.With("up_blocks.2.resnets.0.conv1.weight", Zeros(DType.Float32, [32, 64, 3, 3])));
        Assert.Contains("up_blocks.2.resnets.0.conv1.weight", e.Message);
        Assert.Contains("Conv2d", e.Message);
        Assert.Contains("[32, 64, 3, 3]", e.Message);
        Assert.Contains("[32, 96, 3, 3]", e.Message);
    }

    [Fact]
    public void Load_TensorOfIntegers_SaysSo() =>
        Assert.Contains("Int8[32]", LoadFails(w => w.With("conv_in.bias", Zeros(DType.Int8, [32]))).Message);

    private static float[] Run(string model, int timeIds, Func<TestWeights, TestWeights> change)
    {
        using var unet = new TestUNet(Golden.Folder($"{model}/unet"), timeIds, change: change);
        return unet.Run(2, 16, 12, 77);
    }

    private static ModelFileException LoadFails(Func<TestWeights, TestWeights> change)
    {
        string folder = Golden.Folder("tiny-sdxl/unet");
        using var checkpoint = Checkpoint.OpenFolder(folder);
        return Assert.Throws<ModelFileException>(() =>
            new UNet2DConditionModel(ModelConfig.Load(Path.Combine(folder, "config.json"))).Load(change(new TestWeights(checkpoint))));
    }

    private Tensor Zeros(DType dtype, Shape shape) => new(device.Allocate(shape.Count * dtype.Size()), 0, dtype, shape);
}
