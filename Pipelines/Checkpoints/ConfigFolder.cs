using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>A folder in diffusers' layout of which only configurations and tokenizers are used.</summary>
internal sealed class ConfigFolder
{
    private readonly string folder;

    private ConfigFolder(string folder) => this.folder = folder;

    /// <summary>Its model_index.json, or null.</summary>
    public ModelConfig? Index { get; private init; }

    /// <exception cref="ModelFileException">There is no such folder, or its index is damaged.</exception>
    public static ConfigFolder Open(string folder)
    {
        if (!Directory.Exists(folder)) throw new ModelFileException(folder, "the folder of configurations does not exist.");
        string index = Path.Combine(folder, "model_index.json");
        return new ConfigFolder(folder) { Index = File.Exists(index) ? ModelConfig.Load(index) : null };
    }

    /// <summary>The configuration of a component, or null where it has none.</summary>
    public ModelConfig? ConfigOf(ModelComponent component) =>
        Path.Combine(folder, component.Name, component.ConfigFile) is var path && File.Exists(path) ? ModelConfig.Load(path) : null;

    /// <summary>The tokenizer of that name, or null where it has none.</summary>
    public ITokenizerFiles? TokenizerOf(string name) => TokenizerFolders.In(Path.Combine(folder, name));
}

/// <summary>The tokenizers that the user names.</summary>
/// <param name="options">See <see cref="ModelSourceOptions.TokenizerFolder"/>.</param>
internal sealed class TokenizerFolders(ModelSourceOptions options)
{
    /// <summary>The tokenizer's files; null where the user names none.</summary>
    /// <exception cref="ModelFileException">The folder has no tokenizer.</exception>
    public ITokenizerFiles? Find(string name) => options.TokenizerFolder is not { } folder ? null
        : In(folder) ?? In(Path.Combine(folder, name)) ?? (name == "tokenizer" ? null : In(Path.Combine(folder, "tokenizer")))
            ?? throw new ModelFileException(folder,
                $"has no tokenizer: expected vocab.json and merges.txt, or tokenizer.json, there or in {OutsideText.Quote(name)}.");

    /// <summary>The tokenizer in a folder, or null.</summary>
    public static ITokenizerFiles? In(string folder) =>
        new TokenizerFolder(folder) is var files && (files.Has("vocab.json") || files.Has("tokenizer.json")) ? files : null;
}
