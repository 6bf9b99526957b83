using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Metadata;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>What <c>--from</c> takes from an image beside the request.</summary>
internal static class ImageOrigin
{
    /// <summary>The type that the image was drawn in, where the device computes in it.</summary>
    public static DType? DTypeOf(GenerationMetadata? origin, Device device) =>
        Enum.TryParse(origin?.DType, out DType dtype) && Enum.IsDefined(dtype) && device.Computes(dtype) ? dtype : null;

    /// <summary>The variant of the weights that the image was drawn with, where the model has it.</summary>
    public static string? VariantOf(GenerationMetadata? origin, string folder) =>
        origin?.Variant is { Length: > 0 } variant && PipelineComponents.HasVariant(ModelFolder.Open(folder), variant) ? variant : null;

    /// <summary>Says what is not as it was, and what the image asks for that cannot be done.</summary>
    public static void SayDifferences(string? file, GenerationMetadata origin, DiffusionPipeline pipeline)
    {
        string name = OutsideText.Quote(file ?? "");
        if (origin.DifferencesFrom(pipeline) is { Count: > 0 } differences)
            Messages.Warning($"{name} was drawn otherwise: {string.Join("; ", differences)}.");
        foreach (string note in origin.Unmapped) Messages.Warning($"{name} asks for what is left out here: {OutsideText.Line(note)}");
        if (origin.Request.SharedGenerator)
            Messages.Note($"{name} is image {origin.BatchPosition + 1} of {origin.Request.Count} that one generator drew; all of them " +
                "are drawn.");
    }
}
