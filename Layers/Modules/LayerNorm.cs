using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Layers.Modules;

/// <summary>Normalises each row to mean 0 and variance 1, then scales and shifts it, as torch.nn.LayerNorm.</summary>
public sealed class LayerNorm : Layer
{
    private readonly Parameter weight, bias;
    private readonly double epsilon;

    /// <summary>Declares <c>weight</c> [width] and <c>bias</c> [width].</summary>
    public LayerNorm(int width, double epsilon = 1e-5)
    {
        this.epsilon = epsilon;
        weight = Weight("weight", width);
        bias = Weight("bias", width);
    }

    /// <summary>Records the normalisation.</summary>
    /// <param name="x">[..., width].</param>
    public Value Forward(Value x) =>
        Record(x, () => x.Graph.Add(new LayerNormalization(epsilon), x, x.Graph.Use(weight), x.Graph.Use(bias)));
}
