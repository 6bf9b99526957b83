using System.Text.Json.Nodes;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// A small Stable Diffusion 1.x folder: the tiny SDXL model's first text encoder, tokenizer and autoencoder, and a UNet with generated
/// random weights.
/// </summary>
internal static class TinySd
{
    private const string UNetConfig = """
        {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.32.2", "sample_size": 8, "in_channels": 4, "out_channels": 4, "block_out_channels": [32, 64],
         "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"], "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "layers_per_block": 1,
         "cross_attention_dim": 32, "attention_head_dim": 4}
        """;

    private const string SchedulerConfig = """
        {"_class_name": "PNDMScheduler", "_diffusers_version": "0.32.2", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "clip_sample": false,
         "num_train_timesteps": 1000, "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null}
        """;

    private const string Index = """
        {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.32.2", "feature_extractor": [null, null], "safety_checker": [null, null],
         "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
         "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]}
        """;

    /// <summary>A small request: 32×32 pixels, three steps, seed 7, only latents.</summary>
    public static ImageRequest Request { get; } = new("a red fox") { Width = 32, Height = 32, Steps = 3, Seed = 7, Decode = false };

    /// <summary>Writes the model into a folder.</summary>
    public static string WriteTo(string target)
    {
        string all = TinySdxl.CopyTo(Directory.CreateDirectory(target).FullName);
        foreach (string part in (string[])["unet", "text_encoder_2", "tokenizer_2", "scheduler"])
            Directory.Delete(Path.Combine(all, part), recursive: true);
        foreach (string part in (string[])["text_encoder", "vae"]) // links to files that must not change
            foreach (string file in Directory.GetFiles(Path.Combine(all, part), "*.safetensors"))
            {
                byte[] bytes = File.ReadAllBytes(file);
                File.Delete(file);
                File.WriteAllBytes(file, bytes);
            }

        Write("model_index.json", Index);
        Write("scheduler/scheduler_config.json", SchedulerConfig);
        Write("unet/config.json", UNetConfig);
        WriteUNet(all);
        return target;

        void Write(string name, string text)
        {
            string path = Path.Combine(all, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }
    }

    /// <summary>Random weights, always the same, for the UNet that the folder's config.json describes.</summary>
    public static void WriteUNet(string folder)
    {
        var random = new Random(5);
        var writer = new SafetensorsWriter();
        foreach (var parameter in new UNet2DConditionModel(ModelConfig.Load(Path.Combine(folder, "unet", "config.json"))).Parameters)
        {
            var values = new float[parameter.Shape.Count];
            bool vector = parameter.Shape.Rank == 1;
            for (int i = 0; i < values.Length; i++)
                values[i] = (float)(vector && parameter.Path.EndsWith("weight", StringComparison.Ordinal) ? 1
                    : 0.2 * (random.NextDouble() - 0.5));
            writer.Add(parameter.Path, DType.Float32, parameter.Shape, values);
        }

        writer.Save(Path.Combine(folder, "unet", "diffusion_pytorch_model.safetensors"));
    }

    /// <summary>Changes a JSON file of a folder.</summary>
    public static void Edit(string folder, string file, Action<JsonObject> change)
    {
        string path = Path.Combine(folder, file);
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }

    /// <summary>Rewrites a component's weights: each tensor with the names and shapes from the callback.</summary>
    public static void Rewrite(string folder, string component, Action<SortedDictionary<string, (Shape Shape, float[] Values)>> change)
    {
        string path = Directory.GetFiles(Path.Combine(folder, component), "*.safetensors").Single();
        var tensors = new SortedDictionary<string, (Shape, float[])>(StringComparer.Ordinal);
        using (var file = SafetensorsFile.Open(path))
            foreach (var (name, entry) in file.Entries) tensors.Add(name, (entry.Shape, file.ReadFloats(name)));
        change(tensors);
        File.Delete(path);
        var writer = new SafetensorsWriter();
        foreach (var (name, (shape, values)) in tensors) writer.Add(name, DType.Float32, shape, values);
        writer.Save(path);
    }

    /// <summary>The final latents of a folder's model.</summary>
    public static float[] Draw(string folder, Func<DiffusionPipeline, ImageRequest>? request = null, PipelineOptions? options = null)
    {
        using var device = new CpuDevice(threads: 1);
        using var pipeline = DiffusionPipeline.FromPretrained(folder,
            (options ?? new()) with { Device = device, Compile = CompileOptions.Eager });
        return pipeline.GenerateAsync(request?.Invoke(pipeline) ?? Request).GetAwaiter().GetResult().Latents!.Values;
    }
}
