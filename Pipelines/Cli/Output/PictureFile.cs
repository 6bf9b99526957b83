using System.Globalization;
using ILGpuDiffusion.Pipelines;

namespace ILGpuDiffusion.Cli;

/// <summary>Pictures as PNG files that say how they were made.</summary>
internal static class PictureFile
{
    public static void Write(string path, GenerationResult result, int index, (string Prompt, string? Negative) prompts, string model)
    {
        var (image, settings) = (result.Images[index], result.Settings);
        var parameters = new A1111Parameters(prompts.Prompt)
        {
            NegativePrompt = prompts.Negative,
            Steps = settings.Steps,
            Sampler = settings.SchedulerName,
            CfgScale = settings.GuidanceScale,
            Seed = result.Seeds[index],
            Width = settings.Size.Width,
            Height = settings.Size.Height,
            Model = model,
            Extra = result.Images.Count == 1 ? [] : [new("Batch size", Number(result.Images.Count)), new("Batch pos", Number(index))],
        };
        var picture = new Image(image.Width, image.Height, image.Pixels) { Parameters = parameters.Format() };
        if (OutputFile.IsStandardOutput(path)) StandardStreams.WriteOutput(picture.EncodePng());
        else picture.Save(path);
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
