using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>
/// Many prompts in one image, for an overview of what a model can draw. Prompt i uses seed i and the model's defaults, as
/// <c>ilgd generate --seed i</c> does.
/// </summary>
internal static class ContactSheet
{
    private const int Columns = 8, Gap = 2;

    public static async Task<int> Write(string model, string promptFile, string target)
    {
        string[] prompts = [.. File.ReadLines(promptFile).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#')];
        using var pipeline = DiffusionPipeline.FromPretrained(model);
        var size = pipeline.Defaults.Size;
        int rows = (prompts.Length + Columns - 1) / Columns;
        int width = Columns * (size.Width + Gap) + Gap, height = rows * (size.Height + Gap) + Gap;
        byte[] sheet = [.. Enumerable.Repeat((byte)255, width * height * 3)];
        for (int i = 0; i < prompts.Length; i++)
        {
            var result = await pipeline.GenerateAsync(new ImageRequest(prompts[i]) { Seed = i }).ConfigureAwait(false);
            int left = Gap + i % Columns * (size.Width + Gap), top = Gap + i / Columns * (size.Height + Gap);
            for (int y = 0; y < size.Height; y++)
                result.Images[0].Pixels.AsSpan(y * size.Width * 3, size.Width * 3).CopyTo(sheet.AsSpan(((top + y) * width + left) * 3));
        }

        new Image(width, height, sheet).Save(target);
        return prompts.Length;
    }
}
