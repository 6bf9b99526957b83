using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Modules;

/// <summary>
/// A layer that multiplies with a matrix and may therefore have int8 weights: <see cref="Linear"/>, and <see cref="Conv2d"/> with a 1×1
/// kernel, which is a linear layer over each pixel's channels. <c>DynamicQuantization</c> quantises it.
/// </summary>
public abstract class QuantizableLayer : Layer
{
    private const string ScaleName = "weight_scale";
    private Parameter weight;
    private Parameter? scale, bias;
    private bool weightsOnly;

    /// <summary>Declares <c>weight</c> [out, in, kernel…] and <c>bias</c> [out].</summary>
    private protected QuantizableLayer(int inFeatures, int outFeatures, bool bias, params ReadOnlySpan<int> kernel)
    {
        (InFeatures, OutFeatures) = (inFeatures, outFeatures);
        weight = Weight("weight", [outFeatures, inFeatures, .. kernel]);
        this.bias = bias ? Weight("bias", outFeatures) : null;
    }

    /// <summary>Width of the input: its features, or channels.</summary>
    public int InFeatures { get; }

    /// <summary>Width of the output: its features, or channels.</summary>
    public int OutFeatures { get; }

    /// <summary>Whether its weight is a matrix: false for convolutions with larger kernels.</summary>
    public virtual bool CanQuantize => true;

    /// <summary>Whether the weights are int8.</summary>
    public bool IsQuantized => scale is not null;

    /// <summary>Records the multiplication.</summary>
    /// <param name="x">[..., in].</param>
    /// <param name="stored">The op for weights as they are stored.</param>
    private protected Value Multiply(Value x, Op stored) => Record(x, () => x.Graph.Add(
        !IsQuantized ? stored : weightsOnly ? new Int8WeightMatMul() : new QuantizedMatMul(),
        [x, .. new[] { weight, scale, bias }.OfType<Parameter>().Select(x.Graph.Use)]));

    /// <summary>The loaded weights as a matrix [out, in].</summary>
    /// <exception cref="InvalidOperationException">They were not loaded.</exception>
    internal Tensor Matrix() => weight.Checked().Reshape([OutFeatures, InFeatures]);

    /// <summary>Quantises the loaded weights to int8 and releases their mapped pages.</summary>
    /// <returns>An action that replaces the loaded weights. It cannot fail, so that a model is quantised as a whole or not at
    /// all.</returns>
    internal Action Quantize(WeightQuantizer quantizer, QuantizedWeights memory, bool weightsOnly)
    {
        var original = Matrix();
        var file = (original.Buffer as HostBuffer)?.Owner as SafetensorsFile;
        file?.RequireIntact();
        var (int8, scales) = quantizer.Quantize(original, memory);
        // the int8 GEMM takes a Float32 bias only
        Tensor? wide = bias is { Tensor.DType: not DType.Float32 } ? quantizer.Widen(bias.Checked(), memory) : null;
        file?.Release(original);
        return () =>
        {
            this.weightsOnly = weightsOnly;
            (weight, scale) = (Replace(weight, "weight", int8), Replace(null, ScaleName, scales));
            if (wide is not null) bias = Replace(bias, "bias", wide);
        };
    }

    /// <summary>Sets whether activations are left as they are, for int8 weights.</summary>
    internal void SetWeightsOnly(bool value)
    {
        weightsOnly = value;
        Changed();
    }

    /// <summary>Declares int8 weights with their scales where a source holds them.</summary>
    private protected override void Expect(IWeightSource source)
    {
        if (!CanQuantize || IsQuantized || source.Find(weight.Path) is not { DType: DType.Int8 }) return;
        weight = Declare(weight, "weight", [OutFeatures, InFeatures], ParameterKind.Int8);
        scale = Declare(null, ScaleName, [OutFeatures], ParameterKind.Scale);
        if (bias is not null) bias = Declare(bias, "bias", [OutFeatures], ParameterKind.Float32);
    }
}
