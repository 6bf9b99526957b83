using ILGpuDiffusion.Layers.Graphs;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Modules;

/// <summary>Two linear layers with SiLU between them, over a sinusoidal embedding: diffusers' TimestepEmbedding.</summary>
public sealed class TimestepEmbedding : Layer
{
    private readonly Linear linear1, linear2;

    /// <summary>Declares <c>linear_1</c> and <c>linear_2</c>.</summary>
    public TimestepEmbedding(int inChannels, int timeEmbedDim)
    {
        linear1 = Child("linear_1", new Linear(inChannels, timeEmbedDim));
        linear2 = Child("linear_2", new Linear(timeEmbedDim, timeEmbedDim));
    }

    /// <summary>Records the embedding.</summary>
    /// <param name="sample">[n, in].</param>
    /// <returns>[n, time embedding width].</returns>
    public Value Forward(Value sample) => Record(sample, () => linear2.Forward(Silu(linear1.Forward(sample))));
}
