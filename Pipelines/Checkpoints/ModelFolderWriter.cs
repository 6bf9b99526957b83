using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>Writes a model as a folder in diffusers' layout, whatever it comes from, with some components as they are in memory.</summary>
/// <param name="source">The model.</param>
/// <param name="variant">The variant of the weights that are copied; null for the plain ones.</param>
/// <param name="loggerFactory">For warnings about files that are read.</param>
internal sealed class ModelFolderWriter(IModelSource source, string? variant, ILoggerFactory loggerFactory)
{
    private const string Index = "model_index.json", Defaults = "defaults.json";
    private const int MostBytes = 64 << 20; // of a tokenizer's file
    private static readonly string[] TokenizerFiles =
    [
        "vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "spiece.model",
    ];

    private readonly Dictionary<string, (Layer Model, string Key, JsonObject Value)> replaced = new(StringComparer.Ordinal);

    /// <summary>Takes a component's weights from memory, and adds a key to its configuration.</summary>
    public void Replace(string component, Layer model, string key, JsonObject value) => replaced.Add(component, (model, key, value));

    /// <summary>Writes the folder.</summary>
    /// <exception cref="IOException">It is not empty, or cannot be written.</exception>
    /// <exception cref="ModelFileException">A file of the model is missing or damaged.</exception>
    public void Write(string folder)
    {
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new IOException($"{OutsideText.Quote(folder)} exists and is not an empty folder; name another one.");
        Directory.CreateDirectory(folder);
        var index = JsonNode.Parse(source.Index.ToJson())!.AsObject();
        foreach (var component in source.Components.Values)
        {
            if (WriteComponent(component, Path.Combine(folder, component.Name))) continue;
            index[component.Name] = new JsonArray(null, null);
        }

        string defaults = Path.Combine(source.Path, Defaults);
        if (File.Exists(defaults)) File.Copy(defaults, Path.Combine(folder, Defaults));
        WriteText(Path.Combine(folder, Index), index.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }

    private bool WriteComponent(ModelComponent component, string folder)
    {
        bool isTokenizer = component.Class.Contains("Tokenizer", StringComparison.Ordinal);
        if (!component.HasWeights && !isTokenizer && component.ConfigFile != "scheduler_config.json") return false;
        Directory.CreateDirectory(folder);
        if (isTokenizer) CopyTokenizer(source.TokenizerOf(component.Name), folder);
        else WriteText(Path.Combine(folder, component.ConfigFile), ConfigOf(component.Name));
        if (component.HasWeights) WriteWeights(component, folder);
        return true;
    }

    private string ConfigOf(string component)
    {
        string json = source.ConfigOf(component).ToJson();
        if (!replaced.TryGetValue(component, out var other)) return json;
        var changed = JsonNode.Parse(json)!.AsObject();
        changed[other.Key] = other.Value.DeepClone();
        return changed.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }

    private void WriteWeights(ModelComponent component, string folder)
    {
        var writer = new SafetensorsWriter { Metadata = { ["format"] = "pt" } }; // transformers requires it
        string file = Path.Combine(folder,
            (component.Library == "transformers" ? "model" : "diffusion_pytorch_model") + ".safetensors");
        if (replaced.TryGetValue(component.Name, out var other))
        {
            foreach (var parameter in other.Model.Parameters) writer.Add(parameter.Path, parameter.Tensor);
            writer.Save(file);
            return;
        }

        using var weights = source.WeightsOf(component.Name, variant, loggerFactory.CreateLogger<ModelFolderWriter>());
        foreach (string name in weights.Names.Distinct(StringComparer.Ordinal))
            if (weights.Find(name) is { } tensor) writer.Add(name, tensor);
        writer.Save(file);
    }

    private static void CopyTokenizer(ITokenizerFiles files, string folder)
    {
        foreach (string name in TokenizerFiles.Where(files.Has))
        {
            byte[] bytes = files.Read(name, MostBytes);
            AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(bytes));
        }
    }

    private static void WriteText(string path, string text) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}
