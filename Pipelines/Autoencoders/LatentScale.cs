using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>
/// Converts between the autoencoder's latents and the denoiser's, whose variance is near 1: by one factor and shift for all, or by a mean
/// and a standard deviation per channel where the configuration has them.
/// </summary>
internal sealed class LatentScale
{
    private readonly float[] factor, shift; // per channel: denoiser = (autoencoder − shift) · factor

    /// <summary>Reads <c>scaling_factor</c>, <c>shift_factor</c>, <c>latents_mean</c> and <c>latents_std</c>.</summary>
    public LatentScale(AutoencoderConfig config)
    {
        bool perChannel = config is { LatentsMean: not null, LatentsStd: not null }; // diffusers ignores one without the other
        factor = [.. Enumerable.Range(0, config.LatentChannels)
            .Select(c => (float)(config.ScalingFactor / (perChannel ? config.LatentsStd![c] : 1)))];
        shift = [.. Enumerable.Range(0, config.LatentChannels)
            .Select(c => (float)(perChannel ? config.LatentsMean![c] : config.ShiftFactor))];
    }

    /// <summary>Makes the denoiser's latents those that the decoder takes, in place. [n, h, w, channels].</summary>
    public void ToDecoder(Span<float> latents)
    {
        for (int i = 0; i < latents.Length; i += factor.Length)
            for (int c = 0; c < factor.Length; c++) latents[i + c] = latents[i + c] / factor[c] + shift[c];
    }

    /// <summary>Makes the encoder's latents those that the denoiser takes, in place. [n, h, w, channels].</summary>
    public void ToDenoiser(Span<float> latents)
    {
        for (int i = 0; i < latents.Length; i += factor.Length)
            for (int c = 0; c < factor.Length; c++) latents[i + c] = (latents[i + c] - shift[c]) * factor[c];
    }

    /// <summary>Records <see cref="ToDecoder(Span{float})"/>, bit for bit. [n, h, w, channels], Float32.</summary>
    public Value ToDecoder(Value latents)
    {
        latents = latents.Graph.Add(new Binary(BinaryFunction.Divide), latents, Constant(latents.Graph, "scaling_factor", factor));
        return shift.All(s => s == 0) ? latents : latents + Constant(latents.Graph, "shift_factor", shift);
    }

    /// <summary>Records the conversion of the encoder's latents to the denoiser's. [n, h, w, channels], Float32.</summary>
    public Value ToDenoiser(Value latents)
    {
        if (shift.Any(s => s != 0)) latents -= Constant(latents.Graph, "shift_factor", shift);
        return latents * Constant(latents.Graph, "scaling_factor", factor);
    }

    private static Value Constant(Graph graph, string name, float[] values) => graph.Constant(name, [values.Length], values);
}
