using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Metadata;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>What <c>--from</c> takes from an image in addition to the request.</summary>
internal static class ImageOrigin
{
    /// <summary>The variant of the weights that the image was generated with, where the model has it.</summary>
    public static string? VariantOf(GenerationMetadata? origin, string model, ModelSourceOptions source) =>
        origin?.Variant is { Length: > 0 } variant && ModelSource.Open(model, source).HasVariant(variant) ? variant : null;

    /// <summary>Warns about differences from the image's settings, and about those that are not supported.</summary>
    public static void SayDifferences(string? file, GenerationMetadata origin, DiffusionPipeline pipeline)
    {
        string name = OutsideText.Quote(file ?? "");
        if (origin.DifferencesFrom(pipeline) is { Count: > 0 } differences)
            Messages.Warning($"{name} was generated differently: {string.Join("; ", differences)}.");
        foreach (string note in origin.Unmapped)
            Messages.Warning($"{name} has settings that are not supported here: {OutsideText.Line(note)}");
        if (origin.Request.SharedGenerator)
            Messages.Note($"{name} is image {origin.BatchPosition + 1} of {origin.Request.Count} from one shared generator; all of them " +
                "are generated.");
    }
}
