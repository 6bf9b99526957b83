using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Two-dimensional convolution over NHWC: x [n, h, w, ci], weight [co, ci, kh, kw] in any floating-point type (PyTorch's order), bias [co]
/// optional → [n, h', w', co], with h' = (h + before + after − kh) / stride + 1 and w' likewise. What lies outside the image is zero.
/// </summary>
/// <param name="Stride">Step of the kernel, both ways.</param>
/// <param name="PaddingBefore">Rows of zeros at the top and columns at the left.</param>
/// <param name="PaddingAfter">Rows of zeros at the bottom and columns at the right.</param>
/// <param name="Epilogue">Applied to the result before it is written; its arguments come last.</param>
/// <param name="Upsampling">Whether x is resized before the convolution; h and w above are then those of the resized image. Its pixel i is
/// x's pixel ⌊i · (size of x / size)⌋, in float32.</param>
/// <remarks>Accumulates in float32 for all storage types of the weights, which are widened exactly; the error is that of a
/// <see cref="MatMul"/> with K = ci·kh·kw.</remarks>
public sealed record Conv2D(
    int Stride = 1, int PaddingBefore = 0, int PaddingAfter = 0, Epilogue Epilogue = default, Upsampling Upsampling = Upsampling.None)
    : Op, IHasEpilogue
{
    private static readonly KernelSet Set = new("conv2d",
        [Conv2DWinogradCpu.Variant, Conv2DFewOutputsCpu.Variant,
            CpuKernel.Variant("cpu/packed", Conv2DCpu.Bind) with { Tuning = GemmTuning.Space }, .. Conv2DMatrices.Variants,
                .. Conv2DGpu.Variants]);

    /// <summary>Whether the convolution is pointwise for a kernel of these sizes: each result depends on one pixel.</summary>
    public bool IsPointwise(TensorType weight) =>
        this is { Stride: 1, PaddingBefore: 0, PaddingAfter: 0, Upsampling: Upsampling.None } && weight.Shape[2].Constant == 1
            && weight.Shape[3].Constant == 1;

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override string Label => (Upsampling is Upsampling.None ? "" : "upsample+") + Name + Epilogue.Label;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.Convolution;

    /// <inheritdoc/>
    public Op With(Epilogue epilogue) => this with { Epilogue = epilogue };

    private int FurtherArguments => Epilogue.Arguments + (Upsampling == Upsampling.Like ? 1 : 0);

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        CheckCount(inputs, 2 + FurtherArguments, 3 + FurtherArguments);
        TensorType x = inputs[0], weight = inputs[1];
        Check(Stride > 0 && PaddingBefore >= 0 && PaddingAfter >= 0, "stride, padding", $"{Stride}, {PaddingBefore}, {PaddingAfter}",
            "at least 1, 0 and 0");
        CheckFloat(x, "x", 4, "[n, h, w, c]");
        Check(weight.DType.IsFloat() && weight.Rank == 4 && weight.Shape[1].MayEqual(x.Last), "weight", weight,
            $"[out, {x.Last}, kh, kw] for x of {x}");
        if (inputs.Length - FurtherArguments == 3)
            Check(inputs[2].DType.IsFloat() && inputs[2].Rank == 1 && inputs[2].Last.MayEqual(weight.Shape[0]), "bias", inputs[2],
                $"[{weight.Shape[0]}]");
        var (height, width) = Seen(inputs);
        var y = x.With(x.Shape[0], Size(height, weight.Shape[2]), Size(width, weight.Shape[3]), weight.Shape[0]);
        Epilogue.Check(Name, inputs[^Epilogue.Arguments..], y);
        return y;
    }

    /// <inheritdoc/>
    public override ShapeBucket? Bucket(OpSignature signature)
    {
        Shape weight = signature.Inputs[1].Concrete();
        return ShapeBucket.Of(signature.Output.Concrete().Rows, new ConvolutionShape(weight[1], weight[0], weight[2], weight[3], Stride));
    }

    /// <inheritdoc/>
    public override double Flops(OpSignature signature)
    {
        Shape weight = signature.Inputs[1].Concrete();
        return 2.0 * signature.Output.Concrete().Count * weight[1] * weight[2] * weight[3];
    }

    /// <summary>Height and width of the convolved image: x, or x after upsampling.</summary>
    internal (Dim Height, Dim Width) Seen(ReadOnlySpan<TensorType> inputs)
    {
        var x = inputs[0].Shape;
        if (Upsampling == Upsampling.None) return (x[1], x[2]);
        if (Upsampling == Upsampling.Double) return (x[1] * 2, x[2] * 2);
        var like = inputs[^FurtherArguments];
        Check(like.Rank == 4, "like", like, "[n, height, width, channels]");
        return (like.Shape[1], like.Shape[2]);
    }

    /// <summary>
    /// The call with only x, weight and, if present, bias: for kernels that handle the epilogue and the size argument separately.
    /// </summary>
    internal OpCall Plain(OpCall call) => call with { Inputs = call.Inputs[..^FurtherArguments] };

    private Dim Size(Dim size, Dim kernel)
    {
        Check(size.Constant is not { } s || kernel.Constant is not { } k || s + PaddingBefore + PaddingAfter >= k, "x", size,
            $"at least {kernel} with padding");
        int total = PaddingBefore + PaddingAfter;
        return kernel.Constant is { } known && known == total + 1 && Stride == 1 ? size : (size + total - kernel) / Stride + 1;
    }
}
