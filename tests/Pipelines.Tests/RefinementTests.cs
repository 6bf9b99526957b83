using System.Text.Json.Nodes;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Which models share a run, and what the second one is asked for.</summary>
public sealed class RefinementTests
{
    [Fact]
    public void Check_LatentsOfAnotherShape_AreRefused()
    {
        using var folder = new TemporaryFolder();
        string model = TinySdxl.CopyTo(Path.Combine(folder.Path, "coarse"));
        TinySd.Edit(model, "vae/config.json", config =>
        {
            foreach (string blocks in (string[])["block_out_channels", "down_block_types", "up_block_types"])
                ((JsonArray)config[blocks]!).RemoveAt(0);
        });
        using var device = new CpuDevice(threads: 1);
        using var first = Declared(TinySdxl.Folder, device);
        using var refiner = Declared(model, device);
        var e = Assert.Throws<DiffusionRequestException>(() => Refinement.Check(first, refiner));
        Assert.Equal("refiner", e.Property);
        Assert.Contains("coarse takes latents with 4 channels for 4x4 pixels", e.Message, StringComparison.Ordinal);
        Assert.Contains("have 4 channels for 8x8 pixels", e.Message, StringComparison.Ordinal);
        Refinement.Check(first, first);
    }

    [Fact]
    public void Continue_RunThatDidNotStopEarly_IsRefused()
    {
        using var device = new CpuDevice(threads: 1);
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        var request = TinySdxl.Request with { Decode = false };
        var begun = pipeline.Generate(request, null, default);
        Assert.Equal("DenoisingEnd",
            Assert.Throws<DiffusionRequestException>(() => Refinement.Continue(pipeline, request, begun, pipeline)).Property);
        var noLatents = begun with { Latents = null };
        Assert.Equal("Decode", Assert.Throws<DiffusionRequestException>(
            () => Refinement.Continue(pipeline, request with { DenoisingEnd = 0.5 }, noLatents, pipeline)).Property);
    }

    private static DiffusionPipeline Declared(string model, Device device) =>
        DiffusionPipeline.FromPretrained(model, new PipelineOptions { Device = device, LoadWeights = false });
}
