using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Layers.Modules;

/// <summary>
/// y = x·Wᵀ + b over the innermost dimension, as torch.nn.Linear. The pixels of images [n, h, w, c] are tokens.
/// </summary>
/// <remarks>Declares <c>weight</c> [out, in] and <c>bias</c> [out].</remarks>
/// <param name="inFeatures">Width of the input.</param>
/// <param name="outFeatures">Width of the output.</param>
/// <param name="bias">Whether there is a bias.</param>
public sealed class Linear(int inFeatures, int outFeatures, bool bias = true) : QuantizableLayer(inFeatures, outFeatures, bias)
{
    /// <summary>Records the multiplication.</summary>
    /// <param name="x">[..., in].</param>
    /// <returns>[..., out].</returns>
    public Value Forward(Value x) => Multiply(x, new MatMul());
}
