using System.Text.Json.Nodes;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>Stable Diffusion 1.x and 2.x in a single file with the names of the original repositories (ldm).</summary>
internal static class StableDiffusionFiles
{
    private const string Text = "cond_stage_model.";
    private const double LatentScale = 0.18215;
    private const int Heads = 8, OpenClipLayers = 23; // SD 2.x reads the last layer but one of 24

    // What diffusers tells SD 2.x by: its prompts are 1024 wide.
    private const string CrossAttention = $"{UNetNames.Prefix}input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight";

    private static readonly SingleFileLayout One = new("Stable Diffusion 1.x", "StableDiffusionPipeline")
    {
        Recognises = t => t.HasGroup($"{UNetNames.Prefix}input_blocks") && t.HasGroup($"{Text}transformer"),
        Components =
        [
            SingleFileComponent.UNet(side: 64, Heads), SingleFileComponent.Autoencoder(LatentScale, side: 512),
            SingleFileComponent.Clip($"{Text}transformer."),
        ],
        Tokenizers = new Dictionary<string, ITokenizerFiles> { ["tokenizer"] = PackagedVocabulary.ClipL },
        Scheduler = t => Scheduler("PNDMScheduler", t.StatedPrediction ?? "epsilon"),
    };

    private static readonly SingleFileLayout Two = new("Stable Diffusion 2.x", "StableDiffusionPipeline")
    {
        Recognises = t => t.Find(CrossAttention) is { Rank: > 0 } shape && shape.Last == 1024 && t.HasGroup($"{Text}model.transformer"),
        Components =
        [
            SingleFileComponent.UNet(side: 96), SingleFileComponent.Autoencoder(LatentScale, side: 768),
            SingleFileComponent.OpenClip("text_encoder", $"{Text}model.", projects: false, OpenClipLayers),
        ],
        Tokenizers = new Dictionary<string, ITokenizerFiles> { ["tokenizer"] = PackagedVocabulary.OpenClip },
        Scheduler = _ => Scheduler("DDIMScheduler", "v_prediction"),
    };

    /// <summary>The kinds of files, in the order to ask them.</summary>
    public static IReadOnlyList<SingleFileLayout> Layouts { get; } =
    [
        Inpainting(Two with { Components = [SingleFileComponent.UNet(side: 64), .. Two.Components.Skip(1)] }),
        Two with
        {
            Kind = "Stable Diffusion 2.x base",
            Recognises = t => Two.Recognises(t) && IsBase(t),
            Components = [SingleFileComponent.UNet(side: 64), SingleFileComponent.Autoencoder(LatentScale, side: 512), Two.Components[2]],
            Scheduler = _ => Scheduler("PNDMScheduler", "epsilon"),
        },
        Two,
        Inpainting(One),
        One,
    ];

    private static SingleFileLayout Inpainting(SingleFileLayout layout) => layout with
    {
        Kind = $"{layout.Kind} inpainting",
        PipelineClass = "StableDiffusionInpaintPipeline",
        Recognises = t => layout.Recognises(t) && UNetNames.InChannels(t) == 9,
        Scheduler = t => Scheduler("PNDMScheduler", t.StatedPrediction ?? "epsilon"),
    };

    /// <summary>
    /// Names and shapes of SD 2.x base, which predicts noise, are those of the 768 pixel model, which predicts velocities. Where a file
    /// does not say what it predicts, diffusers tells base by the training step that its file stores, and takes every other file for the
    /// 768 pixel model.
    /// </summary>
    private static bool IsBase(TensorTable t) => t.StatedPrediction is { } stated ? stated == "epsilon"
        : t.IntegerOf("global_step") == 875000;

    private static JsonObject Scheduler(string type, string prediction) => new()
    {
        ["_class_name"] = type,
        ["beta_start"] = 0.00085,
        ["beta_end"] = 0.012,
        ["beta_schedule"] = "scaled_linear",
        ["num_train_timesteps"] = 1000,
        ["prediction_type"] = prediction,
        ["steps_offset"] = 1,
        ["clip_sample"] = false,
        ["set_alpha_to_one"] = false,
        ["skip_prk_steps"] = true,
    };
}
