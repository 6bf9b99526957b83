using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Layers.Graphs;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Blocks;

/// <summary>FreeU's factors for one decoder block of a UNet (Si et al., 2023, arXiv:2309.11497).</summary>
/// <param name="Skip">Scales the skip connection's low frequencies.</param>
/// <param name="Backbone">Scales the first half of the backbone's channels.</param>
public readonly record struct FreeUScales(double Skip, double Backbone)
{
    /// <summary>Scales the input and the skip connection of a ResNet block.</summary>
    internal (Value X, Value Skip) Apply(Value x, Value skip) => (
        ConcatChannels(Chunk(x, -1, 0, 2) * Backbone, Chunk(x, -1, 1, 2)),
        skip.Graph.Add(new FourierFilter(Skip), skip));
}
