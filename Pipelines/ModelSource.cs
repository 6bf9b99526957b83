using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Families;

namespace ILGpuDiffusion.Pipelines;

/// <summary>Opens models, whatever they are stored in.</summary>
public static class ModelSource
{
    /// <summary>
    /// Opens a folder in diffusers' layout, or a whole model in one safetensors file with its original names: Stable Diffusion 1.x and 2.x
    /// and Stable Diffusion XL with its refiner, and their inpainting models. Only headers and indices are read.
    /// </summary>
    /// <param name="path">The folder or file.</param>
    /// <param name="options">What is taken from elsewhere; null takes everything from the model.</param>
    /// <exception cref="ModelFileException">There is no such model, it is damaged, or of no kind that is supported; the message says what a
    /// file seems to be.</exception>
    public static IModelSource Open(string path, ModelSourceOptions? options = null)
    {
        options ??= new();
        IModelSource source = File.Exists(path) ? SingleFileModel.Open(path, FamilyCatalog.Files, options)
            : options is { ConfigFolder: null, TokenizerFolder: null } ? ModelFolder.Open(path)
            : OtherFiles.Of(ModelFolder.Open(path), options);
        return options.Vae is { } vae ? source.WithVae(vae) : source;
    }

    /// <summary>
    /// The model with another autoencoder, such as one whose weights were adapted to float16. An autoencoder in a file has no
    /// configuration: its shapes tell the layers, and the scale of latents stays the model's.
    /// </summary>
    /// <param name="source">The model.</param>
    /// <param name="path">See <see cref="ModelSourceOptions.Vae"/>.</param>
    /// <exception cref="ModelFileException">The path is no autoencoder.</exception>
    public static IModelSource WithVae(this IModelSource source, string path)
    {
        ArgumentNullException.ThrowIfNull(source);
        return OtherVae.Open(source, path);
    }
}
