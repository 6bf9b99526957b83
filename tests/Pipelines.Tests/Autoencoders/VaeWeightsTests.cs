using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Autoencoder weights in half precision, under old names, and weights that do not fit; and the scale between autoencoder and denoiser.
/// </summary>
public sealed class VaeWeightsTests
{
    [Fact]
    public void Decode_Float16File_SameBitsAsFloat32()
    {
        // The recorded weights are exact in float16, and both widen to the same float32 before any arithmetic.
        using var wide = TestVae.Open("tiny-sd15");
        using var half = TestVae.Open("tiny-sd15", variant: "fp16");
        Assert.Equal(wide.Decode(1, 6, 5), half.Decode(1, 6, 5));
    }

    [Fact]
    public void Decode_WeightsStoredAsFloat16_SameBitsAsFloat32()
    {
        using var wide = TestVae.Open("tiny-sdxl");
        using var half = TestVae.Open("tiny-sdxl", (w, device) => w.As(device, DType.Float16));
        Assert.Equal(wide.Decode(1, 6, 5), half.Decode(1, 6, 5));
    }

    [Fact]
    public void Decode_BFloat16Weights_SameBitsAsRoundedFloat32AndNearTheReference()
    {
        var run = Golden.Open("tiny-sdxl-goldens/vae")["decode_b2_6x9"];
        using var stored = TestVae.Open("tiny-sdxl", (w, device) => w.As(device, DType.BFloat16));
        using var rounded = TestVae.Open("tiny-sdxl", (w, device) => w.As(device, DType.Float32, rounding: DType.BFloat16));
        float[] image = stored.Decode(run);
        Assert.Equal(rounded.Decode(run), image);

        // bfloat16 keeps 8 of float16's 11 bits: each weight is off by up to 2^-9. The bound is twice the measured 4.1e-2.
        double error = run.Check("image", image, 1);
        TestContext.Current.SendDiagnosticMessage($"bfloat16 weights: {error:g3} of rms");
        Assert.InRange(error, 2e-4, 0.083);
    }

    [Fact]
    public void Load_AttentionUnderOldNames_SameBits()
    {
        using var now = TestVae.Open("tiny-sdxl");
        int renamed = 0;
        using var old = TestVae.Open("tiny-sdxl", (weights, _) =>
        {
            foreach (string name in weights.Names.Where(n => OldName(n) != n).ToArray())
            {
                weights.With(OldName(name), weights.Find(name)).With(name, null);
                renamed++;
            }

            return weights;
        });
        Assert.Equal(16, renamed); // weight and bias of four layers in encoder and decoder
        Assert.Equal(now.Decode(1, 4, 4), old.Decode(1, 4, 4));
    }

    [Theory]
    [InlineData("decoder.mid_block.attentions.0.to_q.weight")]
    [InlineData("encoder.down_blocks.2.resnets.0.conv_shortcut.weight")]
    [InlineData("quant_conv.bias")]
    public void Load_TensorMissing_NamesIt(string name) =>
        Assert.Contains(name, Assert.Throws<ModelFileException>(() => TestVae.Open("tiny-sdxl", (w, _) => w.With(name, null))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Load_TensorSurplus_IsLeftOutWithAWarning()
    {
        using var log = new CollectingLoggerFactory();
        const string Extra = "decoder.extra.weight";
        using var vae = TestVae.Open(
            "tiny-sdxl", (w, device) => w.With(Extra, new Tensor(device.Allocate(4), 0, DType.Float32, [1])), logger: log);
        Assert.Contains($"no place in AutoencoderKL and are not used: '{Extra}'", Assert.Single(log.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"scaling_factor": 0.5}""", new float[] { 2, 4, -6, 0 })]
    [InlineData("""{"scaling_factor": 0.5, "shift_factor": 0.25}""", new float[] { 2.25f, 4.25f, -5.75f, 0.25f })]
    [InlineData("""{"scaling_factor": 0.5, "latents_mean": [1, 0, 0, -1], "latents_std": [2, 1, 3, 1]}""", new float[] { 5, 4, -18, -1 })]
    public void LatentScale_ToDecoder_ScalesAndShifts(string json, float[] expected)
    {
        var config = ModelConfig.Load(Path.Combine(Golden.Folder("tiny-sdxl/vae"), "config.json"))
            .With(JsonDocument.Parse(json).RootElement.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value)));
        var scale = new LatentScale(AutoencoderConfig.From(config));
        float[] latents = [1, 2, -3, 0];

        scale.ToDecoder(latents);
        Assert.Equal(expected, latents);
    }

    [Fact]
    public void Blend_OverlappingTiles_RampsFromNeighbourToTile()
    {
        var left = new Tile(1, 1, 4, 1, [9, 9, 10, 10]);
        var tile = new Tile(1, 1, 4, 1, [20, 20, 20, 20]);
        tile.BlendFromLeft(left, 2); // weights 0 and 1/2
        Assert.Equal([10, 15, 20, 20], tile.Values);

        var above = new Tile(1, 2, 1, 2, [0, 0, 8, 4]);
        var below = new Tile(1, 3, 1, 2, [16, 16, 16, 16, 16, 16]);
        below.BlendFromAbove(above, 4); // at most the smaller tile's two rows
        Assert.Equal([0, 0, 12, 10, 16, 16], below.Values);
    }

    private static string OldName(string name) => name
        .Replace(".to_q.", ".query.", StringComparison.Ordinal).Replace(".to_k.", ".key.", StringComparison.Ordinal)
        .Replace(".to_v.", ".value.", StringComparison.Ordinal).Replace(".to_out.0.", ".proj_attn.", StringComparison.Ordinal);
}
