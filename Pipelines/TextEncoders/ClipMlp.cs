using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>Two linear layers with an activation between them: transformers' CLIPMLP.</summary>
internal sealed class ClipMlp : Layer
{
    private readonly Linear first, second;
    private readonly UnaryFunction activation;

    /// <summary>Declares <c>fc1</c> and <c>fc2</c>.</summary>
    public ClipMlp(ClipTextConfig config)
    {
        activation = config.Activation;
        first = Child("fc1", new Linear(config.HiddenSize, config.IntermediateSize));
        second = Child("fc2", new Linear(config.IntermediateSize, config.HiddenSize));
    }

    /// <summary>Records the layers.</summary>
    /// <param name="x">[n, tokens, width].</param>
    public Value Forward(Value x) => Record(x, () => second.Forward(Functional.Activate(first.Forward(x), activation)));
}
