using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

public sealed class DrawingTests
{
    [Fact]
    public async Task RunAsync_WithPreviews_ShowsThemAndGivesTheSameImage()
    {
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        var request = TinySdxl.Request with { Steps = 4, Count = 2 };
        byte[] expected = (await pipeline.GenerateAsync(request)).Images[1].Pixels;
        var shown = new List<IReadOnlyList<Image>>();
        var drawing = new Drawing(pipeline, null, previewEvery: 3, shown.Add);
        await foreach (var result in drawing.RunAsync([request], default)) Assert.Equal(expected, result.Images[1].Pixels);
        Assert.Equal([2, 2], shown.Select(images => images.Count)); // after steps 3 and 4
    }
}
