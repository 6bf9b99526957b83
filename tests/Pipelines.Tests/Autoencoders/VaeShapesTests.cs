using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// The published autoencoders: every tensor that the configuration implies, and the graph at real sizes. No weights are needed.
/// </summary>
public sealed class VaeShapesTests
{
    [Theory]
    [InlineData("stable-diffusion-xl-base-1.0")]
    [InlineData("stable-diffusion-xl-refiner-1.0")]
    [InlineData("stable-diffusion-xl-1.0-inpainting-0.1")]
    [InlineData("playground-v2.5-1024px-aesthetic")]
    [InlineData("stable-diffusion-v1-5")]
    [InlineData("stable-diffusion-2-1")]
    [InlineData("stable-diffusion-3-medium-diffusers")]
    [InlineData("FLUX.1-dev")]
    public void Parameters_PublishedConfig_AreTheModelsTensors(string model)
    {
        string folder = Golden.Folder($"real-configs/{model}/vae");
        StateDict.AssertSame(folder, Load(folder));
    }

    [Fact]
    public void Config_PublishedFiles_HaveTheirNumbersAndDefaults()
    {
        var xl = Load(Golden.Folder("real-configs/stable-diffusion-xl-base-1.0/vae")).Config;
        Assert.Equal((0.13025, 0, 1024, 8), (xl.ScalingFactor, xl.ShiftFactor, xl.SampleSize, xl.SpatialFactor));
        var sd = Load(Golden.Folder("real-configs/stable-diffusion-v1-5/vae")).Config;
        Assert.Equal((0.18215, true, true, null), (sd.ScalingFactor, sd.QuantConv, sd.MidBlockAttention, sd.LatentsMean));
    }

    [Fact]
    public void Config_ShiftOrChannelStatistics_AreRead()
    {
        var flux = Load(Golden.Folder("real-configs/FLUX.1-dev/vae")).Config;
        Assert.Equal((0.3611, 0.1159, 16, false, false),
            (flux.ScalingFactor, flux.ShiftFactor, flux.LatentChannels, flux.QuantConv, flux.PostQuantConv));
        var playground = Load(Golden.Folder("real-configs/playground-v2.5-1024px-aesthetic/vae")).Config;
        Assert.Equal([-1.6574, 1.886, -1.383, 2.5155], playground.LatentsMean!);
        Assert.Equal([8.4927, 5.9022, 6.5498, 5.2299], playground.LatentsStd!);
    }

    [Fact]
    public void Trace_PublishedConfig_TypesFollowFromTheSymbols()
    {
        var vae = Load(Golden.Folder("real-configs/stable-diffusion-xl-base-1.0/vae"));

        var decode = Trace(vae.Decode, 4);
        Assert.Equal("Float32[batch, ((height * 2) * 2) * 2, ((width * 2) * 2) * 2, 3]", decode.Outputs["y"].Type.ToString());
        Assert.Contains("decoder.mid_block.attentions.0", decode.Named.Keys);
        var encode = Trace(vae.Encode, 3);
        var sizes = new Sizes(("batch", 2), ("height", 1024), ("width", 768));
        Assert.Equal("Float32[2, 128, 96, 8]", encode.Outputs["y"].Type.Resolve(sizes).ToString());
    }

    private static Graph Trace(Func<Value, Value> forward, int channels) => Graph.Trace("test", graph =>
        graph.Output("y", forward(
            graph.Input("x", DType.Float32, Dim.Symbol("batch"), Dim.Symbol("height"), Dim.Symbol("width"), channels))));

    private static AutoencoderKL Load(string folder) => new(ModelConfig.Load(Path.Combine(folder, "config.json")));
}
