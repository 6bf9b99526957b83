using System.Text;
using System.Text.Json;
using ILGpuDiffusion.Layers.Weights;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>A model with another autoencoder, from a file or a folder.</summary>
internal sealed class OtherVae : IModelSource
{
    private const string Vae = "vae", Class = "AutoencoderKL";
    private readonly IModelSource model;
    private readonly string path;
    private readonly string? folder; // null for a file
    private readonly Dictionary<string, ModelComponent> components;

    private OtherVae(IModelSource model, string path, string? folder)
    {
        (this.model, this.path, this.folder) = (model, path, folder);
        components = new(model.Components, StringComparer.Ordinal) { [Vae] = new ModelComponent(Vae, "diffusers", Class) };
        Index = model.Index.With([KeyValuePair.Create(Vae, JsonElement.Parse($"[\"diffusers\", \"{Class}\"]"))]);
    }

    /// <inheritdoc/>
    public string Path => model.Path;

    /// <inheritdoc/>
    public string Name => model.Name;

    /// <inheritdoc/>
    public string ClassName => model.ClassName;

    /// <inheritdoc/>
    public ModelConfig Index { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, ModelComponent> Components => components;

    /// <summary>Decorates a model; see <see cref="ModelSourceOptions.Vae"/>.</summary>
    /// <exception cref="ModelFileException">The path is no autoencoder.</exception>
    public static OtherVae Open(IModelSource model, string path)
    {
        if (!Directory.Exists(path))
        {
            OtherFormats.Reject(path);
            _ = VaeFile.Find(TensorTable.Read(path));
            return new OtherVae(model, path, null);
        }

        string own = File.Exists(System.IO.Path.Combine(path, "model_index.json")) ? System.IO.Path.Combine(path, Vae) : path;
        return File.Exists(System.IO.Path.Combine(own, "config.json")) ? new OtherVae(model, path, own)
            : throw new ModelFileException(path, "is no autoencoder: expected a folder with config.json and weights, a model's folder with "
                + "such a folder 'vae', or a safetensors file.");
    }

    /// <inheritdoc/>
    public ModelConfig ConfigOf(string name) => name != Vae ? model.ConfigOf(name)
        : folder is not null ? ModelConfig.Load(System.IO.Path.Combine(folder, "config.json"))
        : Implied(VaeFile.Find(TensorTable.Read(path)));

    /// <inheritdoc/>
    public IModelWeights WeightsOf(string name, string? variant = null, ILogger? logger = null)
    {
        if (name != Vae) return model.WeightsOf(name, variant, logger);
        if (folder is not null) return Checkpoint.OpenFolderOrPlain(folder, variant, logger);
        var file = VaeFile.Find(TensorTable.Read(path));
        return new RenamedWeights(Checkpoint.Open(path, logger), file.Prefix, file.Map);
    }

    /// <inheritdoc/>
    public ITokenizerFiles TokenizerOf(string name) => model.TokenizerOf(name);

    /// <inheritdoc/>
    public IReadOnlyList<string> ComponentsWith(string variant, IEnumerable<string> components)
    {
        string[] all = [.. components];
        return [.. model.ComponentsWith(variant, all.Where(name => name != Vae)),
            .. all.Where(name => name == Vae && folder is not null && Checkpoint.HasVariant(folder, variant))];
    }

    /// <summary>
    /// A file tells its shapes. What it does not tell belongs to the latents of the model, with which its autoencoder can be exchanged.
    /// </summary>
    private ModelConfig Implied(VaeFile file)
    {
        string[] latents = ["scaling_factor", "shift_factor", "latents_mean", "latents_std", "sample_size", "force_upcast"];
        var implied = ModelConfig.Parse(Encoding.UTF8.GetBytes(ImpliedConfigs.Autoencoder(file.Table).ToJsonString()), path);
        if (!model.Has(Vae)) return implied;
        var replaced = model is SingleFileModel single ? single.TraitsOf(Vae) : model.ConfigOf(Vae);
        return implied.With(latents.Where(replaced.Has).Select(key => KeyValuePair.Create(key, replaced.Find(key)!.Value)));
    }
}
