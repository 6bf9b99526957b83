using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Transformers;

/// <summary>
/// W₂·GEGLU(W₁·x): the first layer computes value and gate, the second projects back. Diffusers' FeedForward with <c>geglu</c>.
/// </summary>
/// <remarks>Shazeer, 2020 (arXiv:2002.05202).</remarks>
public sealed class FeedForward : Layer
{
    private const int Expansion = 4; // inner width relative to the outer, the same in every published UNet
    private readonly Linear proj, output;

    /// <summary>Declares <c>net.0.proj</c> and <c>net.2</c>.</summary>
    public FeedForward(int dim)
    {
        proj = Child("net.0.proj", new Linear(dim, checked(2 * Expansion * dim)));
        output = Child("net.2", new Linear(Expansion * dim, dim));
    }

    /// <summary>Records the layer.</summary>
    /// <param name="x">[..., dim].</param>
    /// <returns>[..., dim].</returns>
    public Value Forward(Value x) => Record(x, () => output.Forward(GeGlu(proj.Forward(x))));
}
