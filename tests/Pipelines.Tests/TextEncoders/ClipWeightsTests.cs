using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Text encoder weights stored in half precision, and weights that do not fit.</summary>
public sealed class ClipWeightsTests
{
    private const string Model = "tiny-sdxl/text_encoder_2";

    [Fact]
    public void Encode_WeightsStoredAsFloat16_SameBitsAsFloat32()
    {
        // The recorded weights are exact in float16, and both widen to the same float32 before any arithmetic.
        var (wide, half) = (Run(), Run((w, device) => w.As(device, DType.Float16)));
        Assert.Equal(wide.Hidden, half.Hidden);
        Assert.Equal(wide.Pooled, half.Pooled);
    }

    [Fact]
    public void Encode_Float16FileOfTheSameModel_SameBits()
    {
        var run = Golden.Open("tiny-sd15-goldens/text_encoder")["batch"];
        using var wide = TestTextEncoder.Open("tiny-sd15/text_encoder");
        using var half = TestTextEncoder.Open("tiny-sd15/text_encoder", variant: "fp16");
        Assert.Equal(wide.Run(run, ClipHiddenState.StableDiffusion(null), true).Hidden,
            half.Run(run, ClipHiddenState.StableDiffusion(null), true).Hidden);
    }

    [Fact]
    public void Encode_BFloat16Weights_SameBitsAsRoundedFloat32AndNearTheReference()
    {
        var stored = Run((w, device) => w.As(device, DType.BFloat16));
        Assert.Equal(Run((w, device) => w.As(device, DType.Float32, rounding: DType.BFloat16)).Hidden, stored.Hidden);

        // bfloat16 keeps 8 of float16's 11 bits: each weight is off by up to 2^-9. The bounds are twice the measured 3.9e-2 and 1.9e-2.
        var run = Golden.Open("tiny-sdxl-goldens/text_encoder_2")["batch"];
        double hidden = run.Check("last_hidden_state", stored.Hidden, 1), pooled = run.Check("pooled", stored.Pooled, 1);
        TestContext.Current.SendDiagnosticMessage($"bfloat16 weights: hidden {hidden:g3}, pooled {pooled:g3} of rms");
        Assert.InRange(hidden, 2e-5, 0.078);
        Assert.InRange(pooled, 2e-5, 0.039);
    }

    [Theory]
    [InlineData("text_model.encoder.layers.3.self_attn.q_proj.bias")]
    [InlineData("text_projection.weight")]
    public void Load_TensorMissing_NamesTensorAndModule(string name)
    {
        var e = Assert.Throws<ModelFileException>(() => Run((w, _) => w.With(name, null)));
        Assert.Contains(name, e.Message, StringComparison.Ordinal);
        Assert.Contains("Linear", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WeightsOfTheOtherEncoder_SaysThatTheyDoNotFit()
    {
        using var other = Checkpoint.OpenFolder(Golden.Folder("tiny-sdxl/text_encoder"));
        Assert.Throws<ModelFileException>(() => Run((_, _) => new TestWeights(other)));
    }

    private static HostEmbeddings Run(Func<TestWeights, Device, TestWeights>? change = null)
    {
        using var clip = TestTextEncoder.Open(Model, change);
        return clip.Run(Golden.Open("tiny-sdxl-goldens/text_encoder_2")["batch"], ClipHiddenState.StableDiffusion(null), pooled: true);
    }
}
