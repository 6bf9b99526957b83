using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Denoisers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// The published models: every tensor that the configuration implies, and the graph at real sizes. No weights are needed.
/// </summary>
public class UNetShapesTests
{
    [Theory]
    [InlineData("stable-diffusion-xl-base-1.0")]
    [InlineData("stable-diffusion-xl-refiner-1.0")]
    [InlineData("stable-diffusion-xl-1.0-inpainting-0.1")]
    [InlineData("playground-v2.5-1024px-aesthetic")]
    [InlineData("stable-diffusion-v1-5")]
    [InlineData("stable-diffusion-2-1")]
    public void Parameters_PublishedConfig_AreTheModelsTensors(string model)
    {
        string folder = Golden.Folder($"real-configs/{model}/unet");
        var tensors = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "state_dict_shapes.json"))).RootElement.GetProperty(
            "tensors");
        string[] expected = [.. tensors.EnumerateObject()
            .Select(t => $"{t.Name} {Shape.Create([.. t.Value.EnumerateArray().Select(s => s.GetInt32())])}")];

        string[] actual = [.. Load(folder).Parameters.Select(p => $"{p.Path} {p.Shape}")];

        Assert.Empty(expected.Except(actual));
        Assert.Empty(actual.Except(expected));
        Assert.Equal(expected.Length, actual.Length);
    }

    [Theory]
    [InlineData("stable-diffusion-xl-base-1.0", 6, 1280)]
    [InlineData("stable-diffusion-xl-refiner-1.0", 5, 1280)]
    [InlineData("stable-diffusion-v1-5", 0, null)]
    [InlineData("stable-diffusion-2-1", 0, null)]
    public void Trace_PublishedConfig_TypesFollowFromTheSymbols(string model, int timeIds, int? pooled)
    {
        var unet = Load(Golden.Folder($"real-configs/{model}/unet"));

        var graph = unet.Trace(timeIds);

        Assert.Equal("Float32[batch, height, width, 4]", graph.Outputs["sample"].Type.ToString());
        Assert.Equal(pooled is not null, unet.HasAddedConditions);
        if (pooled is not null) Assert.Equal(pooled, unet.PooledDim(timeIds));
        int blocks = graph.Named.Keys.Count(n => n.EndsWith(".attn2", StringComparison.Ordinal));
        Assert.Equal(model switch { "stable-diffusion-xl-base-1.0" => 70, "stable-diffusion-xl-refiner-1.0" => 44, _ => 16 }, blocks);
    }

    [Fact]
    public void Trace_NumbersThatDoNotFit_SaysHowManyDo()
    {
        var xl = Load(Golden.Folder("tiny-sdxl/unet"));
        var sd = Load(Golden.Folder("real-configs/stable-diffusion-v1-5/unet"));

        Assert.Contains("1 to 10 numbers", Assert.Throws<ArgumentOutOfRangeException>(() => xl.Trace()).Message);
        Assert.Contains("1 to 10 numbers", Assert.Throws<ArgumentOutOfRangeException>(() => xl.Trace(11)).Message);
        Assert.Contains("no added conditions", Assert.Throws<ArgumentOutOfRangeException>(() => sd.Trace(6)).Message);
    }

    [Fact]
    public void Forward_PromptOfWrongWidth_NamesTheLayer()
    {
        var unet = Load(Golden.Folder("real-configs/stable-diffusion-v1-5/unet"));

        var e = Assert.Throws<ShapeException>(() => Graph.Trace("test", g => unet.Forward(
            g.Input("sample", DType.Float32, 1, 8, 8, 4), g.Input("timestep", DType.Float32, 1, 1, 1, 1),
                g.Input("prompt", DType.Float32, 1, 77, 1024))));

        Assert.Contains("down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k", e.Message);
    }

    private static UNet2DConditionModel Load(string folder) => new(ModelConfig.Load(Path.Combine(folder, "config.json")));
}
