using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>
/// Configuration of a variational autoencoder, with the names of diffusers' AutoencoderKL; keys that old files lack take its defaults.
/// </summary>
internal sealed record AutoencoderConfig
{
    // far beyond every model; keep a damaged file from exhausting memory
    private const int MaxChannels = 1 << 16, MaxBlocks = 12, MaxLayers = 64;

    private AutoencoderConfig() { }

    /// <summary>The config.json, for messages.</summary>
    public string File { get; private init; } = "";

    /// <summary>A lower bound of the model's number of weight tensors: eight for each residual block of encoder and decoder.</summary>
    public long LeastTensors => 8L * BlockOutChannels.Count * (2 * LayersPerBlock + 1);

    /// <summary>Channels of input images: 3.</summary>
    public int InChannels { get; private init; }

    /// <summary>Channels of output images: 3.</summary>
    public int OutChannels { get; private init; }

    /// <summary>Channels of latents: 4, in newer families 16.</summary>
    public int LatentChannels { get; private init; }

    /// <summary>Channels at each resolution, finest first.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; private init; } = [];

    /// <summary>Residual blocks at each resolution of the encoder; the decoder has one more.</summary>
    public int LayersPerBlock { get; private init; }

    /// <summary>Groups of every group norm.</summary>
    public int NormGroups { get; private init; }

    /// <summary>Whether the coarsest resolution has self-attention.</summary>
    public bool MidBlockAttention { get; private init; }

    /// <summary>Whether a 1×1 convolution follows the encoder.</summary>
    public bool QuantConv { get; private init; }

    /// <summary>Whether a 1×1 convolution precedes the decoder.</summary>
    public bool PostQuantConv { get; private init; }

    /// <summary>Factor by which the encoder's latents are multiplied for the denoiser.</summary>
    public double ScalingFactor { get; private init; }

    /// <summary>Value subtracted from the encoder's latents before that; 0 in most families.</summary>
    public double ShiftFactor { get; private init; }

    /// <summary>Mean of each latent channel, where a family normalises by channel; otherwise null.</summary>
    public IReadOnlyList<double>? LatentsMean { get; private init; }

    /// <summary>Standard deviation of each latent channel, where a family normalises by channel; otherwise null.</summary>
    public IReadOnlyList<double>? LatentsStd { get; private init; }

    /// <summary>Whether float16 overflows in this model, so that it needs a wider type.</summary>
    public bool ForceUpcast { get; private init; }

    /// <summary>Side of the images that the model was made for, in pixels: the default tile.</summary>
    public int SampleSize { get; private init; }

    /// <summary>Pixels per latent, both ways: 8.</summary>
    public int SpatialFactor => 1 << (BlockOutChannels.Count - 1);

    /// <summary>Reads config.json.</summary>
    /// <exception cref="ModelFileException">A value is missing or unusable.</exception>
    public static AutoencoderConfig From(ModelConfig config)
    {
        int groups = config.IntWithin("norm_num_groups", 1, MaxChannels, 32),
            latentChannels = config.IntWithin("latent_channels", 1, MaxChannels, 4);
        int[] channels = config.Ints("block_out_channels", [64]);
        if (channels.Length is 0 or > MaxBlocks || channels.Any(c => c < 1 || c > MaxChannels || c % groups != 0))
            throw config.Wrong("block_out_channels",
                $"a list of 1 to {MaxBlocks} multiples of norm_num_groups, {groups}, up to {MaxChannels}");
        CheckBlocks(config, "down_block_types", "DownEncoderBlock2D", channels.Length);
        CheckBlocks(config, "up_block_types", "UpDecoderBlock2D", channels.Length);
        if (config.String("act_fn", "silu") is not ("silu" or "swish")) throw config.Wrong("act_fn", "silu");
        double scale = config.Double("scaling_factor", 0.18215);
        if (scale == 0) throw config.Wrong("scaling_factor", "other than zero");
        if (config.Find("quantization_config") is not null)
            throw config.Wrong("quantization_config", "absent: quantized weights are not supported");
        int[] sample = config.IntPerEntry("sample_size", 2, 32);
        if (sample.Any(s => s is < 1 or > 1 << 20)) throw config.Wrong("sample_size", $"from 1 to {1 << 20}, or [height, width]");
        return new AutoencoderConfig
        {
            File = config.File,
            InChannels = config.IntWithin("in_channels", 1, MaxChannels, 3),
            OutChannels = config.IntWithin("out_channels", 1, MaxChannels, 3),
            LatentChannels = latentChannels,
            BlockOutChannels = channels,
            LayersPerBlock = config.IntWithin("layers_per_block", 1, MaxLayers, 1),
            NormGroups = groups,
            MidBlockAttention = config.Bool("mid_block_add_attention", true),
            QuantConv = config.Bool("use_quant_conv", true),
            PostQuantConv = config.Bool("use_post_quant_conv", true),
            ScalingFactor = scale,
            ShiftFactor = config.Has("shift_factor") ? config.Double("shift_factor") : 0,
            LatentsMean = PerChannel(config, "latents_mean", latentChannels),
            LatentsStd = PerChannel(config, "latents_std", latentChannels) is var std && std?.Any(s => s <= 0) != true ? std
                : throw config.Wrong("latents_std", "positive"),
            ForceUpcast = config.Bool("force_upcast", true),
            SampleSize = sample[0],
        };
    }

    private static void CheckBlocks(ModelConfig config, string key, string known, int count)
    {
        const string OldPrefix = "UNetRes"; // diffusers' first versions put it before every block type
        string[] types = [.. config.Strings(key, [known])
            .Select(type => type.StartsWith(OldPrefix, StringComparison.Ordinal) ? type[OldPrefix.Length..] : type)];
        if (types.Length != count || types.Any(type => type != known))
            throw config.Wrong(key, $"{count} times \"{known}\", one for each of block_out_channels");
    }

    private static double[]? PerChannel(ModelConfig config, string key, int channels)
    {
        if (!config.Has(key)) return null;
        double[] values = config.Doubles(key);
        return values.Length == channels ? values : throw config.Wrong(key, $"a list of {channels}, one for each latent channel");
    }
}
