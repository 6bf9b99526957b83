using System.Collections.Immutable;
using ILGpuDiffusion.Layers.Transformers;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>
/// The checked configuration of a <see cref="UNet2DConditionModel"/>. Properties keep the names of config.json; lists are ordered as there,
/// from the finest resolution to the coarsest (<see cref="UpBlockTypes"/>: from the coarsest to the finest).
/// </summary>
internal sealed record UNet2DConditionConfig
{
    // Bounds far above any published model, so that a damaged file is an error and not an attempt to allocate terabytes.
    private const int MostBlocks = 16, MostLayers = 256, MostChannels = 1 << 16, MostTensors = 1 << 16;

    // The least number of weight tensors of a ResNet block, of a transformer without its blocks, and of one of its blocks.
    private const int ResnetTensors = 10, TransformerTensors = 6, TransformerBlockTensors = 20;

    public const string DownBlock = "DownBlock2D", UpBlock = "UpBlock2D";
    public const string CrossAttnDownBlock = "CrossAttnDownBlock2D", CrossAttnUpBlock = "CrossAttnUpBlock2D";
    private const string MidBlock = "UNetMidBlock2DCrossAttn", PlainMidBlock = "UNetMidBlock2D";

    private UNet2DConditionConfig(ModelConfig file)
    {
        File = file.File;
        UNet2DUnsupported.Check(file);
        BlockOutChannels = file.Ints("block_out_channels", [320, 640, 1280, 1280]).ToImmutableArray();
        int count = BlockOutChannels.Length;
        Need(file, "block_out_channels", count is > 0 and <= MostBlocks && BlockOutChannels.All(c => c is >= 2 and <= MostChannels),
            $"a list of 1 to {MostBlocks} numbers of channels from 2 to {MostChannels}");
        InChannels = Int(file, "in_channels", 1, MostChannels, fallback: 4);
        OutChannels = Int(file, "out_channels", 1, MostChannels, fallback: 4);
        if (file.Has("sample_size"))
        {
            int[] sides = file.IntPerEntry("sample_size", 2);
            Need(file, "sample_size", sides.All(s => s is >= 1 and <= MostChannels), $"from 1 to {MostChannels}, or [height, width]");
            SampleSize = new PixelSize(sides[1], sides[0]);
        }

        ConvInKernel = Kernel(file, "conv_in_kernel");
        ConvOutKernel = Kernel(file, "conv_out_kernel");

        DownBlockTypes = Types(file, "down_block_types", count, DownBlock, CrossAttnDownBlock,
            [CrossAttnDownBlock, CrossAttnDownBlock, CrossAttnDownBlock, DownBlock]);
        UpBlockTypes = Types(file, "up_block_types", count, UpBlock, CrossAttnUpBlock,
            [UpBlock, CrossAttnUpBlock, CrossAttnUpBlock, CrossAttnUpBlock]);
        (HasMidBlock, MidBlockHasAttention) = ReadMidBlock(file);
        LayersPerBlock = Ints(file, "layers_per_block", count, 1, MostLayers, fallback: 2);
        DownsamplePadding = Int(file, "downsample_padding", 0, 1, fallback: 1);
        NormNumGroups = Int(file, "norm_num_groups", 1, MostChannels, fallback: 32);
        Need(file, "block_out_channels", BlockOutChannels.All(c => c % NormNumGroups == 0),
            $"a list of multiples of norm_num_groups, {NormNumGroups}");
        NormEps = file.Double("norm_eps", 1e-5);
        Need(file, "norm_eps", NormEps is > 0 and < 1, "above 0 and below 1");

        CrossAttentionDim = Ints(file, "cross_attention_dim", count, 1, MostChannels, fallback: 1280);
        Need(file, "cross_attention_dim", CrossAttentionDim.Distinct().Count() == 1, "the same for every block, since there is one prompt");
        TransformerLayers = new TransformerLayers(file, LayersPerBlock, MostLayers);
        UseLinearProjection = file.Bool("use_linear_projection", false);
        _ = file.Bool("upcast_attention", false); // scores and softmax are float32 anyway
        AttentionHeads = Ints(file, "attention_head_dim", count, 1, MostChannels, fallback: 8);
        for (int i = 0; i < count; i++)
            Need(file, "attention_head_dim", !HasAttention(i) || BlockOutChannels[i] % AttentionHeads[i] == 0,
                $"numbers of heads that divide the blocks' channels; {BlockOutChannels[i]} channels cannot be split among "
                    + $"{AttentionHeads[i]} heads");

        FlipSinToCos = file.Bool("flip_sin_to_cos", true);
        FreqShift = file.Double("freq_shift", 0);
        TimeEmbeddingDim = file.Has("time_embedding_dim") ? Int(file, "time_embedding_dim", 1, 4 * MostChannels) : 4 * BlockOutChannels[0];
        Need(file, "freq_shift", FreqShift >= 0 && FreqShift < BlockOutChannels[0] / 2,
            $"at least 0 and below half of the first block's {BlockOutChannels[0]} channels");
        Added = file.Has("addition_embed_type") ? AddedConditions.Read(file, FreqShift) : null;
        LeastTensors = CountTensors();
        if (LeastTensors > MostTensors)
            throw new ModelFileException(File,
                $"describes a UNet of at least {LeastTensors} weight tensors; at most {MostTensors} are supported.");
    }

    /// <summary>The config.json, for messages.</summary>
    public string File { get; }

    /// <summary>
    /// A lower bound of the model's number of weight tensors, checked before anything is built: a few bytes of configuration can describe a
    /// huge model.
    /// </summary>
    public long LeastTensors { get; }

    public int InChannels { get; }

    public int OutChannels { get; }

    /// <summary>Height and width of the latents that the model was trained with, or null where the file does not say.</summary>
    public PixelSize? SampleSize { get; }

    public int ConvInKernel { get; }

    public int ConvOutKernel { get; }

    public ImmutableArray<int> BlockOutChannels { get; }

    public ImmutableArray<string> DownBlockTypes { get; }

    public ImmutableArray<string> UpBlockTypes { get; }

    public ImmutableArray<int> LayersPerBlock { get; }

    public int DownsamplePadding { get; }

    public int NormNumGroups { get; }

    public double NormEps { get; }

    /// <summary>Width of the prompt embeddings, equal for every block.</summary>
    public ImmutableArray<int> CrossAttentionDim { get; }

    /// <summary>Whether there is a middle block; some distilled models have none.</summary>
    public bool HasMidBlock { get; }

    /// <summary>Whether the middle block has attention and a second ResNet block.</summary>
    public bool MidBlockHasAttention { get; }

    /// <summary>Number of blocks of every transformer.</summary>
    public TransformerLayers TransformerLayers { get; }

    public bool UseLinearProjection { get; }

    /// <summary>
    /// Heads per block. The file calls this <c>attention_head_dim</c>: a misnomer of diffusers that every checkpoint keeps.
    /// </summary>
    public ImmutableArray<int> AttentionHeads { get; }

    public bool FlipSinToCos { get; }

    public double FreqShift { get; }

    public int TimeEmbeddingDim { get; }

    /// <summary>Conditions in addition to the prompt embeddings (<c>text_time</c>), or null.</summary>
    public AddedConditions? Added { get; }

    /// <exception cref="ModelFileException">A value is missing, wrong or unsupported; the message names file, key and value.</exception>
    public static UNet2DConditionConfig Read(ModelConfig file) => new(file);

    /// <summary>Options shared by the transformers of a resolution, 0 being the finest.</summary>
    public TransformerOptions Transformers(int level) =>
        new(TransformerLayers.Mid, AttentionHeads[level], CrossAttentionDim[level], NormNumGroups, UseLinearProjection);

    /// <summary>The middle block is at the coarsest resolution.</summary>
    private bool HasAttention(int level) =>
        (level == BlockOutChannels.Length - 1 && MidBlockHasAttention) || DownBlockTypes[level] == CrossAttnDownBlock
            || UpBlockTypes[^(level + 1)] == CrossAttnUpBlock;

    private long CountTensors()
    {
        long count = HasMidBlock ? ResnetTensors : 0;
        if (MidBlockHasAttention) count += ResnetTensors + Transformer(TransformerLayers.Mid);
        for (int i = 0; i < BlockOutChannels.Length; i++)
        {
            count += (2L * LayersPerBlock[i] + 1) * ResnetTensors;
            if (DownBlockTypes[i] == CrossAttnDownBlock) count += TransformerLayers.Down[i].Sum(Transformer);
            if (UpBlockTypes[i] == CrossAttnUpBlock) count += TransformerLayers.Up[i].Sum(Transformer);
        }

        return count;

        static long Transformer(int blocks) => TransformerTensors + (long)TransformerBlockTensors * blocks;
    }

    private static (bool Has, bool Attention) ReadMidBlock(ModelConfig file)
    {
        const string Key = "mid_block_type";
        if (file.IsNull(Key)) return (false, false);
        string type = file.String(Key, MidBlock);
        Need(file, Key, type is MidBlock or PlainMidBlock, $"{MidBlock}, {PlainMidBlock}, or null for none");
        return (true, type == MidBlock);
    }

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

    private static ImmutableArray<string> Types(ModelConfig file, string key, int count, string plain, string crossAttention,
        string[] fallback)
    {
        const string OldPrefix = "UNetRes"; // diffusers' first versions put it before every block type
        string[] types = [.. file.Strings(key, fallback)
            .Select(type => type.StartsWith(OldPrefix, StringComparison.Ordinal) ? type[OldPrefix.Length..] : type)];
        Need(file, key, types.Length == count && types.All(t => t == plain || t == crossAttention),
            $"a list of {count} block types, each {plain} or {crossAttention}");
        return [.. types];
    }

    private static void Need(ModelConfig file, string key, bool condition, string expected)
    {
        if (!condition) throw file.Wrong(key, expected);
    }
}

/// <summary>
/// Conditions in addition to the prompt embeddings: the pooled embedding and size numbers (original size, crop, target size), each number
/// as a sinusoidal embedding.
/// </summary>
/// <param name="TimeEmbedDim">Width of one number's embedding.</param>
/// <param name="InputDim">Width of the pooled embedding and the numbers' embeddings together.</param>
internal sealed record AddedConditions(int TimeEmbedDim, int InputDim)
{
    public static AddedConditions Read(ModelConfig file, double freqShift)
    {
        const string TimeKey = "addition_time_embed_dim", InputKey = "projection_class_embeddings_input_dim";
        int time = file.Int(TimeKey), input = file.Int(InputKey);
        if (time < 2 || time > 1 << 16 || freqShift >= time / 2)
            throw file.Wrong(TimeKey, $"from 2 to {1 << 16}, and its half above freq_shift");
        return input > time && input <= 1 << 20 ? new(time, input)
            : throw file.Wrong(InputKey, $"above {TimeKey}, {time}, and at most {1 << 20}");
    }

    /// <summary>Width of the pooled embedding with this many size numbers.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The numbers leave no room for it.</exception>
    public int PooledDim(int timeIds) => timeIds > 0 && InputDim - (long)timeIds * TimeEmbedDim is > 0 and var width
        ? (int)width
        : throw new ArgumentOutOfRangeException(nameof(timeIds), timeIds,
            $"The model takes 1 to {(InputDim - 1) / TimeEmbedDim} numbers beside the pooled embedding.");
}
