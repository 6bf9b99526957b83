using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Modules;

/// <summary>
/// y = x·Wᵀ + b over the innermost dimension, as torch.nn.Linear. The pixels of images [n, h, w, c] are tokens. <c>DynamicQuantization</c>
/// quantises W to int8.
/// </summary>
public sealed class Linear : Layer
{
    private Parameter weight;
    private Parameter? scale, bias;

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

    /// <summary>Whether the weights are int8.</summary>
    public bool IsQuantized => scale is not null;

    /// <summary>Records the multiplication.</summary>
    /// <param name="x">[..., in].</param>
    /// <returns>[..., out].</returns>
    public Value Forward(Value x) => Record(x, () =>
    {
        Op gemm = IsQuantized ? new QuantizedMatMul() : new MatMul();
        return x.Graph.Add(gemm, [x, .. new[] { weight, scale, bias }.OfType<Parameter>().Select(x.Graph.Use)]);
    });

    /// <summary>Quantises the loaded weights to int8 and releases their mapped pages.</summary>
    /// <returns>An action that replaces the loaded weights. It cannot fail, so that a model is quantised as a whole or not at
    /// all.</returns>
    internal Action Quantize(WeightQuantizer quantizer, QuantizedWeights memory)
    {
        var original = weight.Checked();
        var file = (original.Buffer as HostBuffer)?.Owner as SafetensorsFile;
        file?.RequireIntact();
        var (int8, scales) = quantizer.Quantize(original, memory);
        // the int8 GEMM takes a Float32 bias only
        Tensor? wide = bias is { Tensor.DType: not DType.Float32 } ? quantizer.Widen(bias.Checked(), memory) : null;
        file?.Release(original);
        return () =>
        {
            (weight, scale) = (Replace(weight, "weight_int8", int8), Replace(null, "weight_scale", scales));
            if (wide is not null) bias = Replace(bias, "bias", wide);
        };
    }
}
