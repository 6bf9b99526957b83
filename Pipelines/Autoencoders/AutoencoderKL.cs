using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Weights;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>
/// The variational autoencoder between images and latents: diffusers' AutoencoderKL. Everything is NHWC; images lie in −1 … 1; latents are
/// those of the encoder, without the denoiser's scale and shift.
/// </summary>
/// <remarks>Rombach et al., 2022 (arXiv:2112.10752).</remarks>
internal sealed class AutoencoderKL : Layer
{
    private readonly Conv2d? quantConv, postQuantConv;

    /// <summary>
    /// Declares <c>encoder</c>, <c>decoder</c> and, where the configuration has them, <c>quant_conv</c> and <c>post_quant_conv</c>.
    /// </summary>
    /// <param name="config">The model's config.json.</param>
    /// <exception cref="ModelFileException">A value of the configuration is missing or unusable.</exception>
    public AutoencoderKL(ModelConfig config) : this(AutoencoderConfig.From(config))
    {
    }

    /// <summary>Declares the layers of a configuration that is already read.</summary>
    public AutoencoderKL(AutoencoderConfig config)
    {
        Config = config;
        Encoder = Child("encoder", new VaeEncoder(Config));
        Decoder = Child("decoder", new VaeDecoder(Config));
        int latents = Config.LatentChannels, moments = 2 * latents;
        if (Config.QuantConv) quantConv = Child("quant_conv", new Conv2d(moments, moments, 1));
        if (Config.PostQuantConv) postQuantConv = Child("post_quant_conv", new Conv2d(latents, latents, 1));
    }

    /// <summary>The model's configuration.</summary>
    public AutoencoderConfig Config { get; }

    /// <summary>The encoder.</summary>
    public VaeEncoder Encoder { get; }

    /// <summary>The decoder.</summary>
    public VaeDecoder Decoder { get; }

    /// <summary>Loads the weights from a checkpoint, also with the attention names used before diffusers 0.18.</summary>
    /// <exception cref="ModelFileException">A weight is missing or has the wrong shape.</exception>
    public override void Load(IWeightSource source, ILogger? logger = null) => base.Load(new LegacyAttentionNames(source), logger);

    /// <summary>Records the encoder.</summary>
    /// <param name="image">[n, h, w, image channels].</param>
    /// <returns>Mean and logarithm of the variance of each latent, side by side: [n, h / 8, w / 8, 2 · latent channels].</returns>
    public Value Encode(Value image)
    {
        var moments = Encoder.Forward(image);
        return quantConv is null ? moments : quantConv.Forward(moments);
    }

    /// <summary>Records the decoder.</summary>
    /// <param name="latents">[n, h, w, latent channels].</param>
    /// <returns>[n, 8h, 8w, image channels].</returns>
    public Value Decode(Value latents) => Decoder.Forward(postQuantConv is null ? latents : postQuantConv.Forward(latents));
}
