namespace ILGpuDiffusion.Compute;

/// <summary>The launches of a product on tensor cores.</summary>
internal static class TensorCoreStages
{
    /// <summary>The variants' name.</summary>
    public const string Name = "cuda/tensor-cores";

    /// <summary>Whether a device multiplies matrices of a type as the kernels do: from sm_80 on.</summary>
    public static bool Suits(Device device, MatrixTypes types) => ((GpuDevice)device).Target.Features.Matrix.HasFlag(types | MatrixTypes.BFloat16);

    /// <summary>A way to compute an op that is made of products, for 16-bit activations and weights of the same type on CUDA devices from sm_80 on.</summary>
    /// <param name="products">The products of a call.</param>
    /// <param name="sizes">Their sizes, for a signature.</param>
    /// <param name="weights">The types of their weights; null for the op's second argument alone.</param>
    public static KernelVariant Variant(
        Func<OpCall, IEnumerable<GpuProduct>> products, Func<OpSignature, IEnumerable<ProductSize>> sizes, Func<OpSignature, IEnumerable<DType>>? weights = null) =>
        new(Name, Backends.Cuda, (_, _) => new GpuKernel(call => products(call).SelectMany(product => Stages(product, call.Scratch)), signature => sizes(signature).Max(ScratchBytes)))
        {
            Suits = device => Suits(device, MatrixTypes.Float16),
            Serves = signature => signature.Inputs[0].DType is DType.Float16 or DType.BFloat16
                && (weights?.Invoke(signature) ?? [signature.Inputs[1].DType]).All(w => w == signature.Inputs[0].DType),
            // A few rows only wait for the weights.
            Fits = signature => sizes(signature).All(size => size.Rows > RowDotProduct.MostRows),
        };

    /// <summary>A product's launches.</summary>
    public static IEnumerable<GpuStage> Stages(GpuProduct product, Tensor? scratch)
    {
        var (w, order) = FilterOrder.Of(product, scratch);
        if (order is { } first) yield return first;
        var operands = new GpuArguments().View(product.X).View(w);
        var arguments = product.Gated
            ? Sizes(operands.View(product.Bias).View(product.Y), product).Int(product.Parts).Int(product.Y.RowPitch)
            : product.ResultNumbers(Sizes(product.ResultViews(operands), product));
        product.Image?.Numbers(arguments);
        yield return new(Source(product, w), new GpuGrid(Groups(product.Rows, TensorCoreProduct.Rows), Groups(product.Columns, product.Gated ? TensorCoreProduct.Half : TensorCoreProduct.Columns)), arguments);
    }

    private static KernelSource Source(GpuProduct product, Tensor w)
    {
        string kernel = product.Gated ? nameof(TensorCoreProduct.Gated) : product.Image is null ? nameof(TensorCoreProduct.Plain) : nameof(TensorCoreProduct.Image);
        Type[] elements = product.Types(weight: false, activation: !product.Gated);
        Type matrix = product.X.DType == DType.BFloat16 ? typeof(Bf16Matrix) : typeof(Fp16Matrix), loader = IsWhole(product.X) && Begins(w) && product.Depth % TensorCoreProduct.Piece == 0 ? typeof(AsyncPieces) : typeof(ElementPieces);
        return KernelSource.Of(typeof(TensorCoreProduct), kernel, TensorCoreProduct.GroupSize, [matrix, loader, .. elements[1..]]) with { GroupsPerProcessor = TensorCoreProduct.GroupsPerProcessor };
    }

    /// <summary>Whether every row begins where sixteen bytes can be copied at once.</summary>
    public static bool IsWhole(Tensor tensor) => tensor.RowPitch % TensorCoreProduct.Piece == 0 && Begins(tensor);

    // Weights have no gaps, whatever their rank: their rows are as long as the product is deep.
    private static bool Begins(Tensor tensor) => tensor.Offset % (TensorCoreProduct.Piece * sizeof(ushort)) == 0;

    private static GpuArguments Sizes(GpuArguments arguments, GpuProduct product) => arguments.Int(product.Rows).Int(product.Columns).Int(product.Depth).Int(product.X.RowPitch);

    private static long ScratchBytes(ProductSize size) => FilterOrder.ScratchBytes(size.Columns, size.Depth, size.Taps, size.Weight, size.TapsFirst);

    private static int Groups(int count, int size) => (count + size - 1) / size;
}
