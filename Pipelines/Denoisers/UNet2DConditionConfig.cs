using System.Collections.Immutable;
using ILGpuDiffusion.Layers;

namespace ILGpuDiffusion.Pipelines;

/// <summary>
/// The checked configuration of a <see cref="UNet2DConditionModel"/>. Properties keep the names of config.json; lists are ordered as there, from
/// the finest resolution to the coarsest (<see cref="UpBlockTypes"/>: from the coarsest to the finest).
/// </summary>
internal sealed record UNet2DConditionConfig
{
    // Bounds far above any published model, so that a damaged file is an error and not an attempt to allocate terabytes.
    private const int MostBlocks = 16, MostLayers = 256, MostChannels = 1 << 16;

    public const string DownBlock = "DownBlock2D", UpBlock = "UpBlock2D";
    public const string CrossAttnDownBlock = "CrossAttnDownBlock2D", CrossAttnUpBlock = "CrossAttnUpBlock2D";

    private UNet2DConditionConfig(ModelConfig file)
    {
        UNet2DUnsupported.Check(file);
        BlockOutChannels = file.Ints("block_out_channels").ToImmutableArray();
        int count = BlockOutChannels.Length;
        Need(file, "block_out_channels", count is > 0 and <= MostBlocks && BlockOutChannels.All(c => c is >= 2 and <= MostChannels), $"a list of 1 to {MostBlocks} numbers of channels from 2 to {MostChannels}");
        InChannels = Int(file, "in_channels", 1, MostChannels);
        OutChannels = Int(file, "out_channels", 1, MostChannels);
        SampleSize = file.Has("sample_size") ? Int(file, "sample_size", 1, MostChannels) : null;
        ConvInKernel = Kernel(file, "conv_in_kernel");
        ConvOutKernel = Kernel(file, "conv_out_kernel");

        DownBlockTypes = Types(file, "down_block_types", count, DownBlock, CrossAttnDownBlock);
        UpBlockTypes = Types(file, "up_block_types", count, UpBlock, CrossAttnUpBlock);
        LayersPerBlock = Ints(file, "layers_per_block", count, 1, MostLayers);
        DownsamplePadding = Int(file, "downsample_padding", 0, 1);
        NormNumGroups = Int(file, "norm_num_groups", 1, MostChannels);
        Need(file, "block_out_channels", BlockOutChannels.All(c => c % NormNumGroups == 0), $"a list of multiples of norm_num_groups, {NormNumGroups}");
        NormEps = file.Double("norm_eps");
        Need(file, "norm_eps", NormEps is > 0 and < 1, "above 0 and below 1");

        CrossAttentionDim = Ints(file, "cross_attention_dim", count, 1, MostChannels);
        Need(file, "cross_attention_dim", CrossAttentionDim.Distinct().Count() == 1, "the same for every block, since there is one prompt");
        TransformerLayersPerBlock = Ints(file, "transformer_layers_per_block", count, 0, MostLayers, fallback: 1);
        UseLinearProjection = file.Bool("use_linear_projection", false);
        _ = file.Bool("upcast_attention", false); // scores and softmax are float32 anyway
        AttentionHeads = Ints(file, "attention_head_dim", count, 1, MostChannels);
        for (int i = 0; i < count; i++)
            Need(file, "attention_head_dim", !HasAttention(i) || BlockOutChannels[i] % AttentionHeads[i] == 0,
                $"numbers of heads that divide the blocks' channels; {BlockOutChannels[i]} channels cannot be split among {AttentionHeads[i]} heads");

        FlipSinToCos = file.Bool("flip_sin_to_cos");
        FreqShift = file.Double("freq_shift");
        TimeEmbeddingDim = Int(file, "time_embedding_dim", 1, 4 * MostChannels, fallback: 4 * BlockOutChannels[0]);
        Need(file, "freq_shift", FreqShift >= 0 && FreqShift < BlockOutChannels[0] / 2, $"at least 0 and below half of the first block's {BlockOutChannels[0]} channels");
        Added = file.String("addition_embed_type", "") == "text_time" ? AddedConditions.Read(file, FreqShift) : null;
    }

    public int InChannels { get; }

    public int OutChannels { get; }

    /// <summary>Height and width of the latents that the model was trained with, or null where the file does not say.</summary>
    public int? SampleSize { get; }

    public int ConvInKernel { get; }

    public int ConvOutKernel { get; }

    public ImmutableArray<int> BlockOutChannels { get; }

    public ImmutableArray<string> DownBlockTypes { get; }

    public ImmutableArray<string> UpBlockTypes { get; }

    public ImmutableArray<int> LayersPerBlock { get; }

    public int DownsamplePadding { get; }

    public int NormNumGroups { get; }

    public double NormEps { get; }

    /// <summary>Width of the prompt's tokens, for every block the same.</summary>
    public ImmutableArray<int> CrossAttentionDim { get; }

    public ImmutableArray<int> TransformerLayersPerBlock { get; }

    public bool UseLinearProjection { get; }

    /// <summary>Heads per block. The file calls this <c>attention_head_dim</c>: a misnomer of diffusers that every checkpoint keeps.</summary>
    public ImmutableArray<int> AttentionHeads { get; }

    public bool FlipSinToCos { get; }

    public double FreqShift { get; }

    public int TimeEmbeddingDim { get; }

    /// <summary>What the model is told beside the prompt (<c>text_time</c>), or null.</summary>
    public AddedConditions? Added { get; }

    /// <exception cref="ModelFileException">A value is missing, wrong or unsupported; the message names file, key and value.</exception>
    public static UNet2DConditionConfig Read(ModelConfig file) => new(file);

    /// <summary>What the transformers at a resolution have in common, 0 being the finest.</summary>
    public TransformerOptions Transformers(int level) =>
        new(TransformerLayersPerBlock[level], AttentionHeads[level], CrossAttentionDim[level], NormNumGroups, UseLinearProjection);

    /// <summary>The middle block, at the coarsest resolution, always has attention.</summary>
    private bool HasAttention(int level) =>
        level == BlockOutChannels.Length - 1 || DownBlockTypes[level] == CrossAttnDownBlock || UpBlockTypes[^(level + 1)] == CrossAttnUpBlock;

    private static int Int(ModelConfig file, string key, int least, int most, int? fallback = null)
    {
        int value = file.Int(key, fallback);
        Need(file, key, value >= least && value <= most, $"from {least} to {most}");
        return value;
    }

    private static ImmutableArray<int> Ints(ModelConfig file, string key, int count, int least, int most, int? fallback = null)
    {
        int[] values = file.IntPerEntry(key, count, fallback);
        Need(file, key, values.All(v => v >= least && v <= most), $"from {least} to {most}");
        return [.. values];
    }

    private static int Kernel(ModelConfig file, string key)
    {
        int value = Int(file, key, 1, 31, fallback: 3); // older files do not have the key
        Need(file, key, value % 2 == 1, "odd");
        return value;
    }

    private static ImmutableArray<string> Types(ModelConfig file, string key, int count, string plain, string crossAttention)
    {
        string[] types = file.Strings(key);
        Need(file, key, types.Length == count && types.All(t => t == plain || t == crossAttention), $"a list of {count} block types, each {plain} or {crossAttention}");
        return [.. types];
    }

    private static void Need(ModelConfig file, string key, bool condition, string expected)
    {
        if (!condition) throw file.Wrong(key, expected);
    }
}

/// <summary>Conditions beside the prompt: the prompt's pooled embedding and some numbers (original size, crop, target size), each as a sinusoidal embedding.</summary>
/// <param name="TimeEmbedDim">Width of one number's embedding.</param>
/// <param name="InputDim">Width of pooled embedding and numbers together.</param>
internal sealed record AddedConditions(int TimeEmbedDim, int InputDim)
{
    public static AddedConditions Read(ModelConfig file, double freqShift)
    {
        const string TimeKey = "addition_time_embed_dim", InputKey = "projection_class_embeddings_input_dim";
        int time = file.Int(TimeKey), input = file.Int(InputKey);
        if (time < 2 || time > 1 << 16 || freqShift >= time / 2) throw file.Wrong(TimeKey, $"from 2 to {1 << 16}, and its half above freq_shift");
        return input > time && input <= 1 << 20 ? new(time, input) : throw file.Wrong(InputKey, $"above {TimeKey}, {time}, and at most {1 << 20}");
    }

    /// <summary>Width of the pooled embedding beside this many numbers.</summary>
    /// <exception cref="ArgumentOutOfRangeException">So many numbers leave no room for it.</exception>
    public int PooledDim(int timeIds) => timeIds > 0 && InputDim - (long)timeIds * TimeEmbedDim is > 0 and var width
        ? (int)width
        : throw new ArgumentOutOfRangeException(nameof(timeIds), timeIds, $"The model takes 1 to {(InputDim - 1) / TimeEmbedDim} numbers beside the pooled embedding.");
}
