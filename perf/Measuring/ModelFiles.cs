using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Measuring;

/// <summary>
/// Folders of the models' configurations and weights. Absent weights are generated at random: speed and memory do not depend on them.
/// </summary>
public static class ModelFiles
{
    private const string Sdxl = "stable-diffusion-xl-base-1.0", Sd15 = "stable-diffusion-v1-5",
        Weights = "diffusion_pytorch_model.safetensors";

    /// <summary>Names of the models, and the folder of each under <see cref="Root"/>.</summary>
    public static IReadOnlyDictionary<string, string> Known { get; } = new Dictionary<string, string>
    {
        ["sdxl-unet"] = $"{Sdxl}/unet",
        ["sdxl-vae"] = $"{Sdxl}/vae",
        ["sdxl-text"] = $"{Sdxl}/text_encoder",
        ["sdxl-text-2"] = $"{Sdxl}/text_encoder_2",
        ["sd15-unet"] = $"{Sd15}/unet",
        ["sd15-vae"] = $"{Sd15}/vae",
        ["sd15-text"] = $"{Sd15}/text_encoder",
        ["small-unet"] = "small/unet",
        ["medium-unet"] = "medium/unet",
    };

    /// <summary>The folder of the weights: ILGPUDIFFUSION_PERF_MODELS, or artifacts/perf-models in the checkout.</summary>
    public static string Root { get; } = Environment.GetEnvironmentVariable("ILGPUDIFFUSION_PERF_MODELS") is { Length: > 0 } folder ? folder
        : Path.Combine(Machine.Repository, "artifacts", "perf-models");

    /// <summary>
    /// The folder of a model with its config.json and weights, which are written if absent: SDXL's UNet takes a minute and 5.1 GB.
    /// </summary>
    /// <param name="model">One of <see cref="Known"/>, or a path.</param>
    public static string Folder(string model)
    {
        if (!Known.TryGetValue(model, out string? path))
            return Directory.Exists(model) ? model
                : throw new ArgumentException($"model is {model}; it must be a folder or one of {string.Join(", ", Known.Keys)}.");
        string folder = Path.Combine(Root, path), config = Path.Combine(folder, "config.json"),
            weights = Path.Combine(folder, path.Contains("text", StringComparison.Ordinal) ? "model.safetensors" : Weights);
        if (File.Exists(weights)) return folder;
        Console.Error.WriteLine($"Writing random weights to {weights} …");
        Write(ConfigOf(path), folder);
        return Path.GetDirectoryName(config)!;
    }

    /// <summary>
    /// A whole pipeline with random weights at the sizes of a published model, with CLIP's vocabulary: SDXL takes two minutes and 7 GB.
    /// </summary>
    /// <param name="model">A folder of tests/Golden/real-configs, such as <c>stable-diffusion-xl-base-1.0</c>.</param>
    public static string Pipeline(string model)
    {
        string configs = Path.Combine(Machine.Repository, "tests/Golden/real-configs", model), to = Path.Combine(Root, model);
        foreach (var (name, path) in Known)
            if (Path.GetDirectoryName(path) == model) _ = Folder(name);
        foreach (string file in Directory.GetFiles(configs, "*.json", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(configs, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            if (!File.Exists(copy)) File.Copy(file, copy);
        }

        foreach (string tokenizer in Directory.GetDirectories(to, "tokenizer*"))
            foreach (string file in (string[])["vocab.json", "merges.txt"])
                File.WriteAllBytes(Path.Combine(tokenizer, file), PackagedVocabulary.ClipL.Read(file, int.MaxValue));
        return to;
    }

    /// <summary>Copies a configuration to a folder and writes random bfloat16 weights beside it.</summary>
    /// <returns>Number of values.</returns>
    public static long Write(string config, string folder)
    {
        Directory.CreateDirectory(folder);
        File.Copy(config, Path.Combine(folder, "config.json"), overwrite: true);
        var read = ModelConfig.Load(config);
        return RandomCheckpoint.Write(Model.Of(read).Layer, Path.Combine(folder, read.Has("_class_name") ? Weights : "model.safetensors"),
            seed: 1);
    }

    private static string ConfigOf(string path)
    {
        string real = Path.Combine(Machine.Repository, "tests/Golden/real-configs", path, "config.json"),
            own = Path.Combine(Machine.Repository, "perf/Measuring/Models", path, "config.json");
        return File.Exists(real) ? real : own;
    }
}
