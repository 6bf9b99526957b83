using System.CommandLine;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Checkpoints;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The options that select the model, and what is taken from elsewhere than its own folder or file.</summary>
internal sealed class ModelArguments
{
    private readonly Option<string?> model = new("--model", "-m")
    {
        Description = "Diffusers folder, or whole model in a safetensors file; else the small model",
        HelpName = "DIR|FILE",
    };

    private readonly Option<string?> vae = new("--vae")
    {
        Description = "Another autoencoder: a folder, a whole model, or a safetensors file",
        HelpName = "DIR|FILE",
    };
    private readonly Option<string?> tokenizer = new("--tokenizer")
    {
        Description = "Tokenizers of a single file: a folder; CLIP's if left out",
        HelpName = "DIR",
    };
    private readonly Option<string?> config = new("--config")
    {
        Description = "Configurations of a single file: a diffusers folder; implied if left out",
        HelpName = "DIR",
    };

    /// <summary>The model alone.</summary>
    public Option Model => model;

    /// <summary>What is taken from elsewhere.</summary>
    public IReadOnlyList<Option> Source => [vae, tokenizer, config];

    /// <summary>Whether the model is the one that ships with the tool.</summary>
    public bool IsEmbedded(ParseResult parsed) => parsed.GetValue(model) is null;

    /// <summary>The model's folder or file.</summary>
    public string Path(ParseResult parsed) => parsed.GetValue(model) ?? EmbeddedModel.Folder;

    /// <summary>What is taken from elsewhere.</summary>
    public ModelSourceOptions SourceOf(ParseResult parsed) => new()
    {
        Vae = parsed.GetValue(vae),
        TokenizerFolder = parsed.GetValue(tokenizer),
        ConfigFolder = parsed.GetValue(config),
    };
}
