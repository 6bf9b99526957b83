using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>A prediction by a UNet, with its inputs under diffusers' names.</summary>
internal static class UNetPrediction
{
    /// <summary>Prompt embeddings, [m, tokens, width].</summary>
    public const string Text = "encoder_hidden_states";

    /// <summary>Pooled prompt embeddings, [m, 1, 1, pooled width], where the UNet has added conditions.</summary>
    public const string PooledText = "text_embeds";

    /// <summary>Size numbers, [m, 1, 1, numbers], where the UNet has added conditions.</summary>
    public const string Numbers = "time_ids";

    /// <summary>1 where the image is redrawn, [n, h, w, 1], for UNets that inpaint.</summary>
    public const string Mask = "mask";

    /// <summary>Latents of the image with the masked part cut out, [n, h, w, c], for UNets that inpaint.</summary>
    public const string MaskedImage = "masked_image_latents";

    /// <summary>Records a prediction.</summary>
    /// <param name="unet">The UNet.</param>
    /// <param name="options">What the graph must do.</param>
    /// <param name="dtype">The type that the UNet computes in.</param>
    /// <param name="numbers">Number of size numbers, where the UNet has added conditions.</param>
    public static Graph Trace(UNet2DConditionModel unet, PredictionOptions options, DType dtype = DType.Float32, int numbers = 6) =>
        PredictionTrace.Record("unet", options, unet.Config.OutChannels, dtype, step =>
        {
            var sample = step.Sample();
            if (unet.InChannels > unet.Config.OutChannels)
                sample = ConcatChannels(sample, step.Image(Mask, 1), step.Image(MaskedImage, unet.Config.OutChannels));
            var text = Cast(step.Conditioning(Text, Dim.Symbol("tokens"), unet.CrossAttentionDim), dtype);
            var pooled = unet.HasAddedConditions ? Cast(step.Conditioning(PooledText, 1, 1, unet.PooledDim(numbers)), dtype) : null;
            var sizes = unet.HasAddedConditions ? step.Conditioning(Numbers, 1, 1, numbers) : null;
            return unet.Forward(sample, step.Timestep, text, pooled, sizes, freeU: options.FreeU?.Blocks ?? []);
        });
}
