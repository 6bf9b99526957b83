using System.Collections;
using System.Globalization;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Compares configurations by what the models read of them.</summary>
internal static class Implied
{
    /// <summary>Fails unless both configurations describe the same model.</summary>
    public static void Equal(SingleFileComponent part, ModelConfig expected, ModelConfig actual) =>
        Assert.Equal(Text(Read(part, expected)), Text(Read(part, actual)));

    /// <summary>The layers that a configuration describes.</summary>
    public static Layer Layers(SingleFileComponent part, ModelConfig config) => Read(part, config) switch
    {
        UNet2DConditionConfig unet => new UNet2DConditionModel(unet),
        AutoencoderConfig vae => new AutoencoderKL(vae),
        var text => new ClipTextModel((ClipTextConfig)text),
    };

    private static object Read(SingleFileComponent part, ModelConfig config) => part.Name switch
    {
        "unet" => UNet2DConditionConfig.Read(config),
        "vae" => AutoencoderConfig.From(config),
        _ => ClipTextConfig.From(config, part.Class.EndsWith("WithProjection", StringComparison.Ordinal)),
    };

    /// <summary>All properties but the file's name, lists and records in full.</summary>
    private static string Text(object? value) => value switch
    {
        null => "null",
        string or ValueType and not IEnumerable => string.Create(CultureInfo.InvariantCulture, $"{value}"),
        IEnumerable list => $"[{string.Join(", ", list.Cast<object>().Select(Text))}]",
        _ => string.Join("\n", value.GetType().GetProperties().Where(p => p.Name != "File")
            .Select(p => $"{p.Name} {Text(p.GetValue(value))}")),
    };
}
