using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>The published text encoders: every tensor that the configuration implies. No weights are needed.</summary>
public sealed class ClipShapesTests
{
    [Theory]
    [InlineData("stable-diffusion-xl-base-1.0/text_encoder", false)]
    [InlineData("stable-diffusion-xl-base-1.0/text_encoder_2", true)]
    [InlineData("stable-diffusion-xl-refiner-1.0/text_encoder", true)]
    [InlineData("stable-diffusion-xl-1.0-inpainting-0.1/text_encoder", false)]
    [InlineData("stable-diffusion-xl-1.0-inpainting-0.1/text_encoder_2", true)]
    [InlineData("playground-v2.5-1024px-aesthetic/text_encoder", false)]
    [InlineData("playground-v2.5-1024px-aesthetic/text_encoder_2", true)]
    [InlineData("stable-diffusion-v1-5/text_encoder", false)]
    [InlineData("stable-diffusion-2-1/text_encoder", false)]
    [InlineData("stable-diffusion-3-medium-diffusers/text_encoder", true)]
    [InlineData("stable-diffusion-3-medium-diffusers/text_encoder_2", true)]
    [InlineData("FLUX.1-dev/text_encoder", false)]
    public void Parameters_PublishedConfig_AreTheModelsTensors(string encoder, bool projection)
    {
        string folder = Golden.Folder($"real-configs/{encoder}");
        var model = new ClipTextModel(ModelConfig.Load(Path.Combine(folder, "config.json")));

        Assert.Equal(projection, model.Projection is not null);
        StateDict.AssertSame(folder, model);
    }
}

/// <summary>The names and shapes that a published model's checkpoint has.</summary>
internal static class StateDict
{
    public static void AssertSame(string folder, Layer model)
    {
        var tensors = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "state_dict_shapes.json"))).RootElement.GetProperty(
            "tensors");
        string[] expected = [.. tensors.EnumerateObject()
            .Select(t => $"{t.Name} {Shape.Create([.. t.Value.EnumerateArray().Select(s => s.GetInt32())])}")
                .Order(StringComparer.Ordinal)];
        string[] actual = [.. model.Parameters.Select(p => $"{p.Path} {p.Shape}").Order(StringComparer.Ordinal)];
        Assert.NotEmpty(expected);
        Assert.Equal(expected, actual);
    }
}
