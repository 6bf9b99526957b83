using System.Text.Json.Nodes;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>Stable Diffusion XL in a single file with the names of Stability AI's generative-models repository (sgm).</summary>
internal static class StableDiffusionXlFiles
{
    private const string First = "conditioner.embedders.0.", Second = "conditioner.embedders.1.";
    private const double LatentScale = 0.13025;
    private const int LatentSide = 128;

    private static readonly SingleFileComponent BigG = SingleFileComponent.OpenClip("text_encoder_2", $"{Second}model.", projects: true);

    private static readonly SingleFileLayout Base = new("Stable Diffusion XL base", "StableDiffusionXLPipeline")
    {
        Recognises = t => t.Has($"{Second}model.positional_embedding"),
        Components =
        [
            SingleFileComponent.UNet(LatentSide), SingleFileComponent.Autoencoder(LatentScale, side: 1024),
            SingleFileComponent.Clip($"{First}transformer."), BigG,
        ],
        Tokenizers = new Dictionary<string, ITokenizerFiles>
        {
            ["tokenizer"] = PackagedVocabulary.ClipL,
            ["tokenizer_2"] = PackagedVocabulary.OpenClip,
        },
        Scheduler = Scheduler,
        Options = new Dictionary<string, bool> { ["force_zeros_for_empty_prompt"] = true },
    };

    /// <summary>The kinds of files, in the order to ask them.</summary>
    public static IReadOnlyList<SingleFileLayout> Layouts { get; } =
    [
        Base with
        {
            Kind = "Stable Diffusion XL inpainting",
            PipelineClass = "StableDiffusionXLInpaintPipeline",
            Recognises = t => Base.Recognises(t) && UNetNames.InChannels(t) == 9,
            Components =
            [
                SingleFileComponent.UNet(LatentSide), SingleFileComponent.Autoencoder(LatentScale, side: 512, upcast: false),
                SingleFileComponent.Clip($"{First}transformer."), BigG,
            ],
        },
        Base,
        Base with
        {
            Kind = "Stable Diffusion XL refiner",
            PipelineClass = "StableDiffusionXLImg2ImgPipeline",
            Recognises = t => t.Has($"{First}model.positional_embedding"),
            Components =
            [
                SingleFileComponent.UNet(LatentSide), SingleFileComponent.Autoencoder(LatentScale, side: 1024),
                BigG with { Prefix = $"{First}model." },
            ],
            Tokenizers = new Dictionary<string, ITokenizerFiles> { ["tokenizer_2"] = PackagedVocabulary.OpenClip },
            Options = new Dictionary<string, bool> { ["force_zeros_for_empty_prompt"] = false, ["requires_aesthetics_score"] = true },
        },
    ];

    /// <summary>
    /// The empty tensor <c>ztsnr</c>, beside <c>v_pred</c>, says that the noise of the training ended in pure noise.
    /// </summary>
    private static JsonObject Scheduler(TensorTable t) => new()
    {
        ["_class_name"] = "EulerDiscreteScheduler",
        ["beta_start"] = 0.00085,
        ["beta_end"] = 0.012,
        ["beta_schedule"] = "scaled_linear",
        ["num_train_timesteps"] = 1000,
        ["prediction_type"] = t.StatedPrediction ?? "epsilon",
        ["rescale_betas_zero_snr"] = t.Has("v_pred") && t.Has("ztsnr"),
        ["interpolation_type"] = "linear",
        ["timestep_spacing"] = "leading",
        ["steps_offset"] = 1,
        ["clip_sample"] = false,
        ["set_alpha_to_one"] = false,
        ["skip_prk_steps"] = true,
        ["use_karras_sigmas"] = false,
    };
}
