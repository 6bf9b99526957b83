using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Public.Tests;

/// <summary>The README's first program, compiled.</summary>
internal static class ReadmeProgram
{
    public static async Task Run()
    {
        // begin
        using var pipeline = DiffusionPipeline.FromPretrained(EmbeddedModel.Folder);
        var result = await pipeline.GenerateAsync(new ImageRequest("a red heart") { Seed = 42 });
        result.Images[0].Save("heart.png");
        // end
    }
}
