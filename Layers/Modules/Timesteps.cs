using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Layers.Modules;

/// <summary>
/// Sines and cosines of a number at falling frequencies: diffusers' Timesteps. It has no weights; it is a layer so that its result has a
/// name.
/// </summary>
/// <param name="channels">Width of one number's embedding.</param>
/// <param name="flipSinToCos">Whether the cosines come first.</param>
/// <param name="downscaleFreqShift">Subtracted from the number of frequencies, see <see cref="SinusoidalEmbedding"/>.</param>
public sealed class Timesteps(int channels, bool flipSinToCos, double downscaleFreqShift) : Layer
{
    /// <summary>Records the embedding.</summary>
    /// <param name="timesteps">[..., k].</param>
    /// <returns>[..., k · channels]: the embeddings of the k numbers, concatenated.</returns>
    public Value Forward(Value timesteps) =>
        Record(timesteps, () => timesteps.Graph.Add(new SinusoidalEmbedding(channels, flipSinToCos, downscaleFreqShift), timesteps));
}
