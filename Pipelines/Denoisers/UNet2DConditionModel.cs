using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Blocks;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Transformers;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Requests;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>
/// The UNet of Stable Diffusion 1.x, 2.x and XL (base and refiner): predicts the noise (or v, or the image, depending on the scheduler's
/// prediction_type) from noisy latents, timestep and prompt embeddings. Layers are named as in diffusers, so that its weights load by path.
/// </summary>
/// <remarks>Rombach and others, 2022 (arXiv:2112.10752); Podell and others, 2023 (arXiv:2307.01952).</remarks>
public sealed class UNet2DConditionModel : Layer
{
    private const double MaskedBias = -10000; // diffusers' value: e^−10000 is 0 in every float type, and no sum overflows
    private readonly UNet2DConditionConfig config;
    private readonly Conv2d convIn, convOut;
    private readonly Timesteps timeProj;
    private readonly TimestepEmbedding timeEmbedding;
    private readonly Timesteps? addTimeProj;
    private readonly TimestepEmbedding? addEmbedding;
    private readonly IReadOnlyList<DownBlock2D> downBlocks;
    private readonly UNetMidBlock2DCrossAttn? midBlock;
    private readonly IReadOnlyList<UpBlock2D> upBlocks;
    private readonly GroupNorm convNormOut;

    /// <summary>Builds the model that a config.json describes. No weight is loaded and no memory used.</summary>
    /// <exception cref="ModelFileException">A value is missing, wrong or not supported; the message names file, key and value.</exception>
    public UNet2DConditionModel(ModelConfig config) : this(UNet2DConditionConfig.Read(config))
    {
    }

    internal UNet2DConditionModel(UNet2DConditionConfig c)
    {
        config = c;
        var resnet = new ResnetOptions(c.TimeEmbeddingDim, c.NormNumGroups, c.NormEps);
        int first = c.BlockOutChannels[0], levels = c.BlockOutChannels.Length;
        convIn = Child("conv_in", new Conv2d(c.InChannels, first, c.ConvInKernel, padding: c.ConvInKernel / 2));
        timeProj = Child("time_proj", new Timesteps(first, c.FlipSinToCos, c.FreqShift));
        timeEmbedding = Child("time_embedding", new TimestepEmbedding(first, c.TimeEmbeddingDim));
        if (c.Added is { } added)
        {
            addTimeProj = Child("add_time_proj", new Timesteps(added.TimeEmbedDim, c.FlipSinToCos, c.FreqShift));
            addEmbedding = Child("add_embedding", new TimestepEmbedding(added.InputDim, c.TimeEmbeddingDim));
        }

        downBlocks = ChildList("down_blocks", Enumerable.Range(0, levels).Select(i => Down(c, i, resnet)));
        if (c.HasMidBlock)
            midBlock = Child("mid_block",
                new UNetMidBlock2DCrossAttn(c.BlockOutChannels[^1], resnet, c.MidBlockHasAttention ? c.Transformers(levels - 1) : null));
        upBlocks = ChildList("up_blocks", Enumerable.Range(0, levels).Select(i => Up(c, i, resnet)));
        convNormOut = Child("conv_norm_out", new GroupNorm(c.NormNumGroups, first, c.NormEps));
        convOut = Child("conv_out", new Conv2d(first, c.OutChannels, c.ConvOutKernel, padding: c.ConvOutKernel / 2));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> RepeatedBlocks => [nameof(BasicTransformerBlock)]; // as diffusers lists them

    /// <summary>The model's configuration.</summary>
    internal UNet2DConditionConfig Config => config;

    /// <summary>Channels of the input: of the latents, and for inpainting of mask and masked image.</summary>
    public int InChannels => config.InChannels;

    /// <summary>Height and width of the latents that the model was trained with, or null where its config.json does not say.</summary>
    public PixelSize? SampleSize => config.SampleSize;

    /// <summary>Size of the images that the model was trained with, or 64 latents both ways.</summary>
    internal PixelSize ImageSize(int factor)
    {
        var (width, height) = SampleSize ?? new PixelSize(64, 64);
        return new PixelSize(width * factor, height * factor);
    }

    /// <summary>Width of the prompt embeddings.</summary>
    public int CrossAttentionDim => config.CrossAttentionDim[0];

    /// <summary>Whether the model needs the pooled prompt embedding and size numbers, as SDXL does.</summary>
    public bool HasAddedConditions => config.Added is not null;

    /// <summary>
    /// Width of the pooled embedding with this many size numbers: <c>time_ids</c> has 6 for SDXL's base, 5 for its refiner.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The model does not take that many numbers, or none at all.</exception>
    public int PooledDim(int timeIds) =>
        config.Added?.PooledDim(timeIds)
            ?? throw new ArgumentOutOfRangeException(nameof(timeIds), timeIds, "The model has no added conditions.");

    /// <summary>
    /// The model as a graph of its own, over the symbols <c>batch</c>, <c>height</c> and <c>width</c> (in latents) and <c>tokens</c>.
    /// Inputs are <c>sample</c>, <c>timestep</c>, <c>encoder_hidden_states</c>, with added conditions <c>text_embeds</c> and
    /// <c>time_ids</c>, and optionally <c>encoder_attention_mask</c>, shaped as for <see cref="Forward"/>; all but the first two are
    /// loop-invariant. The output is <c>sample</c>.
    /// </summary>
    /// <param name="timeIds">Number of size numbers; 0 where the model has no added conditions.</param>
    /// <param name="encoderAttentionMask">Whether the graph takes a mask of the prompt's tokens.</param>
    /// <param name="dtype">The type that the model computes in. Inputs and output are always Float32; they are cast on the device.</param>
    /// <exception cref="ArgumentOutOfRangeException">The model does not take that many size numbers.</exception>
    public Graph Trace(int timeIds = 0, bool encoderAttentionMask = false, DType dtype = DType.Float32) => Graph.Trace("unet", graph =>
    {
        Dim batch = Dim.Symbol("batch"), tokens = Dim.Symbol("tokens");
        Value Input(string name, params ReadOnlySpan<Dim> shape) => graph.Input(name, DType.Float32, shape);
        Value Steady(string name, params ReadOnlySpan<Dim> shape) => graph.LoopInvariantInput(name, DType.Float32, shape);
        bool added = HasAddedConditions || timeIds != 0;
        graph.Output("sample", Cast(Forward(
            Cast(Input("sample", batch, Dim.Symbol("height"), Dim.Symbol("width"), InChannels), dtype),
            Input("timestep", batch, 1, 1, 1),
            Cast(Steady("encoder_hidden_states", batch, tokens, CrossAttentionDim), dtype),
            added ? Cast(Steady("text_embeds", batch, 1, 1, PooledDim(timeIds)), dtype) : null,
            added ? Steady("time_ids", batch, 1, 1, timeIds) : null,
            encoderAttentionMask ? Steady("encoder_attention_mask", batch, 1, tokens) : null), DType.Float32));
    });

    /// <summary>
    /// Records the model. Inputs for the whole image (timestep, added conditions) are images of one pixel, because they are added to every
    /// pixel. Timesteps, size numbers and mask are Float32; everything else has the sample's type, in which the model computes.
    /// </summary>
    /// <param name="sample">Noisy latents, [n, h, w, in], of any height and width.</param>
    /// <param name="timestep">The timestep of each image, [n, 1, 1, 1].</param>
    /// <param name="encoderHiddenStates">Prompt embeddings, [n, tokens, <see cref="CrossAttentionDim"/>].</param>
    /// <param name="textEmbeds">Pooled prompt embeddings, [n, 1, 1, pooled]; required with <see cref="HasAddedConditions"/>, not allowed
    /// otherwise.</param>
    /// <param name="timeIds">Original size, crop, target size …, [n, 1, 1, k]; required with <see cref="HasAddedConditions"/>, not allowed
    /// otherwise.</param>
    /// <param name="encoderAttentionMask">1 for tokens to attend to, 0 for masked ones, [n, 1, tokens]; null attends to all.</param>
    /// <param name="freeU">FreeU's factors for the first up blocks; none disables it.</param>
    /// <returns>The prediction, [n, h, w, out].</returns>
    /// <exception cref="ArgumentException">Added conditions are missing or superfluous.</exception>
    /// <exception cref="ShapeException">Shapes differ from those above; the message names the layer.</exception>
    public Value Forward(Value sample, Value timestep, Value encoderHiddenStates, Value? textEmbeds = null, Value? timeIds = null,
        Value? encoderAttentionMask = null, params IReadOnlyList<FreeUScales> freeU) => Record(sample, () =>
    {
        var time = timeEmbedding.Forward(Cast(timeProj.Forward(timestep), sample.Type.DType));
        if (Added(textEmbeds, timeIds) is { } added) time += added;
        var mask = encoderAttentionMask is null ? null : sample.Graph.Add(new Affine(-MaskedBias, MaskedBias), encoderAttentionMask);

        var x = convIn.Forward(sample);
        var skips = new Stack<Value>([x]);
        foreach (var block in downBlocks) x = block.Forward(x, time, encoderHiddenStates, mask, skips);
        if (midBlock is not null) x = midBlock.Forward(x, time, encoderHiddenStates, mask);
        for (int i = 0; i < upBlocks.Count; i++)
            x = upBlocks[i].Forward(x, time, encoderHiddenStates, mask, skips, i < freeU.Count ? freeU[i] : null);
        return convOut.Forward(Silu(convNormOut.Forward(x)));
    });

    private Value? Added(Value? textEmbeds, Value? timeIds)
    {
        if (textEmbeds is null != timeIds is null || textEmbeds is null == HasAddedConditions)
            throw new ArgumentException(
                $"The UNet {(HasAddedConditions ? "needs" : "does not take")} the added conditions text_embeds and time_ids.",
                    nameof(textEmbeds));
        return textEmbeds is null ? null
            : addEmbedding!.Forward(ConcatChannels(textEmbeds, Cast(addTimeProj!.Forward(timeIds!), textEmbeds.Type.DType)));
    }

    private static DownBlock2D Down(UNet2DConditionConfig c, int level, ResnetOptions resnet) => new(
        c.BlockOutChannels[Math.Max(level - 1, 0)], c.BlockOutChannels[level], c.LayersPerBlock[level], resnet,
        c.DownBlockTypes[level] == UNet2DConditionConfig.CrossAttnDownBlock ? c.Transformers(level) : null,
        level < c.BlockOutChannels.Length - 1 ? c.DownsamplePadding : null,
        c.TransformerLayers.Down[level]);

    private static UpBlock2D Up(UNet2DConditionConfig c, int index, ResnetOptions resnet)
    {
        int coarsest = c.BlockOutChannels.Length - 1, level = coarsest - index;
        return new(
            c.BlockOutChannels[Math.Max(level - 1, 0)], c.BlockOutChannels[Math.Min(level + 1, coarsest)], c.BlockOutChannels[level],
                c.LayersPerBlock[level] + 1, resnet,
            c.UpBlockTypes[index] == UNet2DConditionConfig.CrossAttnUpBlock ? c.Transformers(level) : null,
            level > 0,
            c.TransformerLayers.Up[index]);
    }
}
