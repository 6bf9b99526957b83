using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>A recorded run of a diffusers pipeline as a request.</summary>
internal static class RecordedRun
{
    /// <summary>Whether the run's scheduler is one of ours.</summary>
    public static bool IsOurs(JsonElement json) =>
        Text(json.GetProperty("params"), "scheduler") is { } name && Scheduler.Names.Contains(name);

    /// <summary>The request of a run.</summary>
    /// <param name="golden">The run.</param>
    /// <param name="png">The image that it must give, or null where none is to be decoded.</param>
    public static ImageRequest Request(GoldenCase golden, string? png)
    {
        var p = golden.Params;
        return new ImageRequest(Texts(p, "prompt"))
        {
            NegativePrompts = Texts(p, "negative_prompt"),
            Prompts2 = Texts(p, "prompt_2"),
            NegativePrompts2 = Texts(p, "negative_prompt_2"),
            Count = Int(p, "num_images_per_prompt") ?? 1,
            Width = Int(p, "width"),
            Height = Int(p, "height"),
            Steps = Int(p, "num_inference_steps"),
            Sigmas = Numbers(p, "sigmas"),
            Timesteps = Numbers(p, "timesteps"),
            GuidanceScale = Number(p, "guidance_scale"),
            GuidanceRescale = Number(p, "guidance_rescale") ?? 0,
            ClipSkip = Int(p, "clip_skip") ?? 0,
            Eta = Number(p, "eta") ?? 0,
            DenoisingStart = Number(p, "denoising_start"),
            DenoisingEnd = Number(p, "denoising_end"),
            Latents = golden.Inputs.ContainsKey("latents") ? Latents(golden, "latents")
                : golden.Inputs.ContainsKey("image") ? Latents(golden, "image") : null,
            InitImage = SourceImage(golden, "image"),
            MaskImage = SourceImage(golden, "mask_image"),
            Strength = Number(p, "strength"),
            AestheticScore = Number(p, "aesthetic_score") ?? 6,
            NegativeAestheticScore = Number(p, "negative_aesthetic_score") ?? 2.5,
            Seed = Int(p, "generator_seed") ?? 0,
            SharedGenerator = true, // recorded with one generator for the batch
            KeepIntermediates = true,
            Decode = png is not null,
            // diffusers' recommendation for SDXL; the set does not record the numbers
            FreeU = golden.Id == "freeu" ? new FreeU(S1: 0.9, S2: 0.2, B1: 1.3, B2: 1.4) : null,
            SizeConditioning = new SizeConditioning
            {
                OriginalSize = Size(p, "original_size"),
                TargetSize = Size(p, "target_size"),
                CropTopLeft = Corner(p, "crops_coords_top_left"),
                NegativeOriginalSize = Size(p, "negative_original_size"),
                NegativeTargetSize = Size(p, "negative_target_size"),
                NegativeCropTopLeft = Corner(p, "negative_crops_coords_top_left"),
            },
            Scheduler = Scheduler.FromConfig(
                ModelConfig.Parse(JsonSerializer.SerializeToUtf8Bytes(p.GetProperty("scheduler_config")), golden.Name),
                    Text(p, "scheduler")),
        };
    }

    /// <summary>Only the prompts of a case and their settings.</summary>
    public static ImageRequest Prompts(GoldenCase golden) => new(Texts(golden.Params, "prompt"))
    {
        NegativePrompts = Texts(golden.Params, "negative_prompt"),
        Prompts2 = Texts(golden.Params, "prompt_2"),
        NegativePrompts2 = Texts(golden.Params, "negative_prompt_2"),
        ClipSkip = Int(golden.Params, "clip_skip") ?? 0,
    };

    /// <summary>The recorded draws in their order. Start noise is drawn only where no latents were given.</summary>
    public static NoiseSource Noise(GoldenCase golden)
    {
        int next = 0;
        return values => golden.Input($"noise_{next++}").CopyTo(values);
    }

    private static Latents Latents(GoldenCase golden, string name)
    {
        var shape = golden.InputShape(name);
        return new Latents(shape[0], shape[1], shape[2], shape[3], golden.Input(name));
    }

    private static Image? SourceImage(GoldenCase golden, string key) => Text(golden.Params, key) is { } file
        ? Image.Load(Path.Combine(Path.GetDirectoryName(Golden.Folder(golden.Name.Split(' ')[0] + ".json"))!, file)) : null;

    private static string[] Texts(JsonElement p, string key) => !p.TryGetProperty(key, out var v) ? []
        : v.ValueKind == JsonValueKind.Array ? [.. v.EnumerateArray().Select(e => e.GetString()!)] : [v.GetString()!];

    private static string? Text(JsonElement p, string key) => p.TryGetProperty(key, out var v) ? v.GetString() : null;

    private static int? Int(JsonElement p, string key) => p.TryGetProperty(key, out var v) ? v.GetInt32() : null;

    private static double? Number(JsonElement p, string key) => p.TryGetProperty(key, out var v) ? v.GetDouble() : null;

    private static double[]? Numbers(JsonElement p, string key) =>
        p.TryGetProperty(key, out var v) ? [.. v.EnumerateArray().Select(e => e.GetDouble())] : null;

    private static PixelSize? Size(JsonElement p, string key) =>
        Numbers(p, key) is [var height, var width] ? new PixelSize((int)width, (int)height) : null;

    private static (int, int) Corner(JsonElement p, string key) => Numbers(p, key) is [var top, var left] ? ((int)top, (int)left) : default;
}
