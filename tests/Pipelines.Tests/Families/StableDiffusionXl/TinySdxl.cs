using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// The tiny SDXL model, unchanged or as a copy to change. Without the complete reference data its tokenizers, which are third-party files,
/// are replaced by a generated one.
/// </summary>
internal static class TinySdxl
{
    private const string SyntheticConfig =
        """{"model_max_length": 77, "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}""";
    private static readonly Lazy<string> Complete = new(MakeComplete);

    /// <summary>The files with weights, by component.</summary>
    public static readonly (string Component, string File)[] WeightFiles =
    [
        ("text_encoder", "model"), ("text_encoder_2", "model"), ("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"),
    ];

    /// <summary>A complete model, which must not be changed.</summary>
    public static string Folder => Complete.Value;

    /// <summary>A tiny model of the reference data by its name; this one is complete in every checkout.</summary>
    public static string FolderOf(string model) => model == "tiny-sdxl" ? Folder : Golden.Folder(model);

    /// <summary>A small request: 32×32 pixels, two steps, seed 7; the result has its latents.</summary>
    public static ImageRequest Request { get; } = new("a red fox") { Width = 32, Height = 32, Steps = 2, Seed = 7, KeepLatents = true };

    /// <summary>Fills a folder with links to the model's files. Replace one by deleting it first.</summary>
    public static string CopyTo(string target, string? source = null)
    {
        source ??= Folder;
        foreach (string file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            if (file.EndsWith(".safetensors", StringComparison.Ordinal)) File.CreateSymbolicLink(copy, file);
            else File.WriteAllBytes(copy, File.ReadAllBytes(file)); // not File.Copy: the source may be read-only, and the copy would be too
        }

        return target;
    }

    /// <summary>A copy whose weights are stored in another type.</summary>
    public static string CopyAs(string target, DType dtype, string? source = null)
    {
        CopyTo(target, source);
        foreach (var (component, name) in WeightFiles)
        {
            string path = Path.Combine(target, component, name + ".safetensors");
            Save(path, path, dtype, _ => true);
        }

        return target;
    }

    /// <summary>A copy whose UNet is in shards with an index, as save_pretrained writes it.</summary>
    public static string CopySharded(string target, int shards)
    {
        CopyTo(target);
        string folder = Path.Combine(target, "unet"), whole = Path.Combine(folder, "diffusion_pytorch_model.safetensors");
        string[] names;
        using (var file = SafetensorsFile.Open(whole)) names = [.. file.Entries.Keys.Order(StringComparer.Ordinal)];
        string Shard(string name) => $"diffusion_pytorch_model-{Array.IndexOf(names, name) % shards + 1:D5}-of-{shards:D5}.safetensors";
        foreach (string shard in names.Select(Shard).Distinct())
            Save(whole, Path.Combine(folder, shard), DType.Float32, name => Shard(name) == shard);
        File.Delete(whole);
        File.WriteAllText(Path.Combine(folder, "diffusion_pytorch_model.safetensors.index.json"),
            System.Text.Json.JsonSerializer.Serialize(
                new { metadata = new { total_size = 0 }, weight_map = names.ToDictionary(n => n, Shard) }));
        return target;
    }

    private static void Save(string from, string to, DType dtype, Func<string, bool> wanted)
    {
        var writer = new SafetensorsWriter();
        using (var file = SafetensorsFile.Open(from))
            foreach (var (name, entry) in file.Entries.Where(e => wanted(e.Key))) writer.Add(name, dtype, entry.Shape,
                file.ReadFloats(name));
        if (from == to) File.Delete(to); // writing would follow the link
        writer.Save(to);
    }

    private static string MakeComplete()
    {
        string golden = Golden.Folder("tiny-sdxl");
        if (File.Exists(Path.Combine(golden, "tokenizer", "vocab.json"))) return golden;
        string copy = CopyTo(Directory.CreateTempSubdirectory("ilgpudiffusion-").FullName, golden);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(copy, recursive: true);
        foreach (string name in (string[])["tokenizer", "tokenizer_2"]) SyntheticTokenizer.Write(Path.Combine(copy, name), SyntheticConfig);
        return copy;
    }
}
