using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Layers.Modules;

/// <summary>Normalises each group of channels over the whole image, then scales and shifts each channel, as torch.nn.GroupNorm.</summary>
public sealed class GroupNorm : Layer
{
    private readonly Parameter weight, bias;
    private readonly int groups;
    private readonly double epsilon;

    /// <summary>Declares <c>weight</c> [channels] and <c>bias</c> [channels].</summary>
    public GroupNorm(int groups, int channels, double epsilon)
    {
        (this.groups, this.epsilon) = (groups, epsilon);
        weight = Weight("weight", channels);
        bias = Weight("bias", channels);
    }

    /// <summary>Records the normalisation.</summary>
    /// <param name="x">[n, ..., channels].</param>
    public Value Forward(Value x) =>
        Record(x, () => x.Graph.Add(new GroupNormalization(groups, epsilon), x, x.Graph.Use(weight), x.Graph.Use(bias)));
}
