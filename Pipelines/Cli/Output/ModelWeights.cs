using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Denoiser and autoencoder of a model, with or without their weights: plans need only their types.</summary>
internal sealed class ModelWeights : IDisposable
{
    private readonly List<IModelWeights> files = [];

    /// <summary>Builds the models.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="load">Whether weights are mapped, so that their types are known.</param>
    public ModelWeights(IModelSource folder, bool load)
    {
        UNet = new UNet2DConditionModel(folder.ConfigOf("unet"));
        Vae = new AutoencoderKL(folder.ConfigOf("vae"));
        if (!load) return;
        foreach (var (name, layer) in new (string, Layer)[] { ("unet", UNet), ("vae", Vae) })
        {
            files.Add(folder.WeightsOf(name, logger: MessageLoggers.Logger));
            layer.Load(files[^1], MessageLoggers.Logger);
        }
    }

    public UNet2DConditionModel UNet { get; }

    public AutoencoderKL Vae { get; }

    /// <summary>The given size, or the model's own.</summary>
    /// <exception cref="ArgumentException">The model does not support it.</exception>
    public PixelSize Pixels(PixelSize? size)
    {
        int factor = Vae.Config.SpatialFactor;
        var (width, height) = UNet.SampleSize ?? new PixelSize(64, 64);
        var pixels = size ?? new PixelSize(width * factor, height * factor);
        if (pixels.Width % factor != 0 || pixels.Height % factor != 0)
            throw new ArgumentException($"--size is {pixels}; width and height must be multiples of {factor}.");
        return pixels;
    }

    public void Dispose()
    {
        foreach (var file in files) file.Dispose();
    }
}
