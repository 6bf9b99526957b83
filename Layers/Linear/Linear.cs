using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Layers;

/// <summary>y = x·Wᵀ + b over the innermost dimension, as torch.nn.Linear. Images [n, h, w, c] count as tokens.</summary>
public sealed class Linear : Layer
{
    private readonly Parameter weight;
    private readonly Parameter? bias;

    /// <summary>Declares <c>weight</c> [out, in] and <c>bias</c> [out].</summary>
    public Linear(int inFeatures, int outFeatures, bool bias = true)
    {
        (InFeatures, OutFeatures) = (inFeatures, outFeatures);
        weight = Weight("weight", outFeatures, inFeatures);
        this.bias = bias ? Weight("bias", outFeatures) : null;
    }

    /// <summary>Width of the input.</summary>
    public int InFeatures { get; }

    /// <summary>Width of the output.</summary>
    public int OutFeatures { get; }

    /// <summary>Records the product.</summary>
    /// <param name="x">[..., in].</param>
    /// <returns>[..., out].</returns>
    public Value Forward(Value x) => Record(x, () => bias is null
        ? x.Graph.Add(new MatMul(), x, x.Graph.Use(weight))
        : x.Graph.Add(new MatMul(), x, x.Graph.Use(weight), x.Graph.Use(bias)));
}
