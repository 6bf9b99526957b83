using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Requests;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Pipelines.Guidance;

/// <summary>
/// One denoising prediction as one graph: scales the latents, evaluates the UNet for prompt and negative prompt in one batch of two, and
/// combines both predictions. Every number that changes from step to step is an input, so nothing is compiled or read back in the loop.
/// </summary>
/// <remarks>
/// Inputs, with n the number of images and m = 2n when guided (negative prompts first), else n: <c>latents</c> [n, h, w, c],
/// <c>input_scale</c> [1], <c>timestep</c> [m, 1, 1, 1], <c>encoder_hidden_states</c> [m, tokens, d], <c>text_embeds</c> [m, 1, 1, p] and
/// <c>time_ids</c> [m, 1, 1, 6] where the model has them, <c>guidance</c> [2] = (1 − scale, scale), <c>guidance_rescale</c> [1].
/// All are Float32: only the UNet, between the scaling of latents and guidance, computes in its own type. All but the first three are
/// loop-invariant: what the UNet computes from them alone is computed once per image. Output: <c>prediction</c> [n, h, w, c].
/// </remarks>
internal static class GuidedDenoiser
{
    /// <summary>Number of SDXL's size values: original size, crop and target size.</summary>
    public const int TimeIds = 6;

    /// <summary>Options of a graph; requests with equal options share it.</summary>
    /// <param name="Guided">Classifier-free guidance (Ho and Salimans, 2022, arXiv:2207.12598).</param>
    /// <param name="Rescaled">Guidance rescale (Lin et al., 2023, arXiv:2305.08891).</param>
    /// <param name="FreeU">FreeU's weights, or null.</param>
    internal sealed record GraphKey(bool Guided, bool Rescaled, FreeU? FreeU);

    /// <summary>Traces the prediction.</summary>
    /// <param name="unet">The model.</param>
    /// <param name="form">The graph's options.</param>
    /// <param name="dtype">The type that the model computes in.</param>
    public static Graph Trace(UNet2DConditionModel unet, GraphKey form, DType dtype = DType.Float32) => Graph.Trace("unet", graph =>
    {
        Dim images = Dim.Symbol("images"), entries = form.Guided ? images * 2 : images;
        var latents = graph.Input("latents", DType.Float32, images, Dim.Symbol("height"), Dim.Symbol("width"), unet.InChannels);
        var timestep = graph.Input("timestep", DType.Float32, entries, 1, 1, 1);
        var text = Cast(graph.LoopInvariantInput("encoder_hidden_states", DType.Float32, entries, Dim.Symbol("tokens"),
            unet.CrossAttentionDim), dtype);
        Value? textEmbeds = unet.HasAddedConditions
            ? Cast(graph.LoopInvariantInput("text_embeds", DType.Float32, entries, 1, 1, unet.PooledDim(TimeIds)), dtype) : null;
        Value? timeIds = unet.HasAddedConditions ? graph.LoopInvariantInput("time_ids", DType.Float32, entries, 1, 1, TimeIds) : null;

        var sample = Cast(Combine(graph.Input("input_scale", DType.Float32, 1), latents), dtype);
        if (form.Guided) sample = ConcatBatch(sample, sample);
        var prediction = Cast(unet.Forward(sample, timestep, text, textEmbeds, timeIds, freeU: form.FreeU?.Blocks ?? []), DType.Float32);
        graph.Output("prediction", form.Guided ? Guide(graph, prediction, form.Rescaled) : prediction);
    });

    private static Value Guide(Graph graph, Value prediction, bool rescaled)
    {
        Value negative = Chunk(prediction, 0, 0, 2), positive = Chunk(prediction, 0, 1, 2);
        var guided = Combine(graph.LoopInvariantInput("guidance", DType.Float32, 2), negative, positive);
        return rescaled ? graph.Add(new RescaleGuidance(), guided, positive, graph.LoopInvariantInput("guidance_rescale", DType.Float32, 1))
            : guided;
    }
}
