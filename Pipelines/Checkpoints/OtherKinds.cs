using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>Files that are no supported model, recognised by their tensors so that the message can say what they are.</summary>
internal static class OtherKinds
{
    private const string UNet = UNetNames.Prefix;

    /// <summary>Look like a supported model, and would give wrong images as one.</summary>
    private static readonly (string Kind, Func<TensorTable, bool> Is)[] Refused =
    [
        ("a Playground v2.5 model (EDM noise schedule)", t => t.Has("edm_mean") || t.Has("edm_std")),
        ("a CosXL model (EDM v-prediction)", t => t.Has("edm_vpred.sigma_max")),
        ("an InstructPix2Pix model (8 input channels)", t => UNetNames.InChannels(t) == 8),
        ("a depth-to-image model (5 input channels)", t => UNetNames.InChannels(t) == 5),
        ("an upscaler (7 input channels)", t => UNetNames.InChannels(t) == 7),
        ("a model whose UNet has other than 4 or 9 input channels", t => UNetNames.InChannels(t) is not (null or 4 or 9)),
        ("a Stable unCLIP model", t => t.HasGroup("embedder.model") || t.HasGroup("noise_augmentor")),
        ("a Stable Video Diffusion model", t => t.HasGroup(UNet + "input_blocks.1.0.time_stack")),
        ("a model in scaled 8-bit floats", t => t.Tensors.Keys.Any(name => name.EndsWith(".scale_weight", StringComparison.Ordinal))),
    ];

    private static readonly (string Kind, Func<TensorTable, bool> Is)[] Foreign =
    [
        ("a LoRA or another adapter", t => t.Tensors.Keys.Any(IsAdapter)),
        ("an IP-Adapter", t => t.HasGroup("ip_adapter") || t.HasGroup("image_proj")),
        ("a textual inversion", t => t.Has("emb_params") || (t.Tensors.Count <= 4 && (t.Has("clip_l") || t.Has("clip_g")))),
        ("a ControlNet", t => t.HasGroup("control_model") || t.HasGroup("controlnet_cond_embedding") || t.HasGroup("input_hint_block")),
        ("an AnimateDiff motion module", t => t.HasGroup("down_blocks.0.motion_modules")),
        ("a Flux.2 model", t => Denoiser(t, "single_stream_modulation")),
        ("a Chroma model", t => Denoiser(t, "distilled_guidance_layer")),
        ("a Flux model", t => Denoiser(t, "double_blocks.0.img_attn")),
        ("a Stable Diffusion 3 model", t => Denoiser(t, "joint_blocks")),
        ("an AuraFlow model", t => Denoiser(t, "double_layers.0.attn")),
        ("a Z-Image or Lumina 2 model", t => Denoiser(t, "cap_embedder")),
        ("a Wan video model", t => Denoiser(t, "head") && Denoiser(t, "patch_embedding")),
        ("an LTX video model", t => Denoiser(t, "patchify_proj")),
        ("a Stable Cascade model", t => Denoiser(t, "clip_txt_mapper") || t.HasGroup("down_blocks.1.0.channelwise")),
        ("an autoencoder alone (give it as vae, beside a model)", t => VaeFile.IsOne(t)),
        ("a UNet alone, without text encoders", t => t.HasGroup(UNet + "input_blocks")),
        ("a UNet alone, under diffusers' names: one component of a folder", t => t.HasGroup("down_blocks.0.resnets")),
        ("a text encoder alone: one component of a folder", t => t.HasGroup("text_model.encoder") || t.HasGroup("transformer.resblocks")),
        ("an image upscaler", t => t.HasGroup("body.0.rdb1") || t.HasGroup("model.1.sub") || t.HasGroup("conv_first")),
    ];

    /// <summary>Whether a file must not be taken for the model that it looks like.</summary>
    public static bool IsRefused(TensorTable table) => Refused.Any(kind => kind.Is(table));

    /// <summary>What a file seems to be; null where nothing is known.</summary>
    public static string? Of(TensorTable table) => Refused.Concat(Foreign).FirstOrDefault(kind => kind.Is(table)).Kind;

    /// <summary>The exception for a file that is none of the supported kinds.</summary>
    public static ModelFileException Reject(TensorTable table, IReadOnlyList<SingleFileLayout> layouts)
    {
        string found = table.Tensors.Count == 0 ? "holds no tensors"
            : Of(table) is { } kind ? $"is {kind}"
            : $"holds {table.Tensors.Count} tensors of no known model, such as {OutsideText.List([.. table.Tensors.Keys], 3)}";
        return new ModelFileException(table.File,
            $"{found}. Single files of these models are supported: {string.Join(", ", layouts.Select(layout => layout.Kind))}.");
    }

    private static bool Denoiser(TensorTable t, string group) => t.HasGroup(group) || t.HasGroup(UNet + group);

    private static bool IsAdapter(string name) => name.Contains(".lora_", StringComparison.Ordinal)
        || name.Contains("lora.down", StringComparison.Ordinal) || name.StartsWith("lora_", StringComparison.Ordinal)
        || name.Contains(".hada_", StringComparison.Ordinal) || name.Contains(".lokr_", StringComparison.Ordinal)
        || name.Contains(".oft_", StringComparison.Ordinal);
}
