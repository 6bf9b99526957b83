using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The launches of a product with matrix instructions.</summary>
internal static class MatrixStages
{
    /// <summary>The ways to compute an op that is made of products, for 16-bit activations and weights of the same type.</summary>
    /// <param name="products">The products of a call.</param>
    /// <param name="sizes">Their sizes, for a signature.</param>
    /// <param name="weights">The types of their weights; null for the op's second argument alone.</param>
    public static KernelVariant[] Variants(
        Func<OpCall, IEnumerable<GpuProduct>> products, Func<OpSignature, IEnumerable<ProductSize>> sizes, Func<OpSignature, IEnumerable<DType>>? weights = null) =>
        [.. MatrixForm.All.Select(form => new KernelVariant(form.Name, form.Runs, (_, _) => new GpuKernel(
            call => products(call).SelectMany(product => Stages(form, product, call)), signature => sizes(signature).Max(ScratchBytes)))
        {
            // A device without one of the two does with tiles: which type is asked for is not known here.
            Suits = device => form.Suits(device, MatrixTypes.Float16 | MatrixTypes.BFloat16),
            Serves = signature => signature.Inputs[0].DType is DType.Float16 or DType.BFloat16
                && (weights?.Invoke(signature) ?? [signature.Inputs[1].DType]).All(w => w == signature.Inputs[0].DType),
            // A few rows only wait for the weights.
            Fits = signature => sizes(signature).All(size => size.Rows > RowDotProduct.MostRows),
        })];

    /// <summary>The groups of a product.</summary>
    public static GpuGrid Grid(GpuProduct product) => new(Groups(product.Rows, MatrixProduct.Rows), Groups(product.Columns, product.Gated ? MatrixProduct.Half : MatrixProduct.Columns));

    /// <summary>Whether every row begins where sixteen bytes can be copied at once.</summary>
    public static bool IsWhole(Tensor tensor) => tensor.RowPitch % MatrixProduct.Piece == 0 && Begins(tensor);

    /// <summary>How a 16-bit type is multiplied.</summary>
    public static Type Matrix(DType dtype) => dtype == DType.BFloat16 ? typeof(Bf16Matrix) : typeof(Fp16Matrix);

    private static IEnumerable<GpuStage> Stages(MatrixForm form, GpuProduct product, OpCall call)
    {
        var (w, order) = FilterOrder.Of(product, call.Scratch);
        if (order is { } first) yield return first;
        var operands = new GpuArguments().View(product.X).View(w);
        var arguments = product.Gated
            ? Sizes(operands.View(product.Bias).View(product.Y), product).Int(product.Parts).Int(product.Y.RowPitch)
            : product.ResultNumbers(Sizes(product.ResultViews(operands), product));
        product.Image?.Numbers(arguments);
        string kernel = product.Gated ? nameof(MatrixProduct.Gated) : product.Image is null ? nameof(MatrixProduct.Plain) : nameof(MatrixProduct.Image);
        Type[] elements = product.Types(weight: false, activation: !product.Gated);
        bool whole = IsWhole(product.X) && Begins(w) && product.Depth % MatrixProduct.Piece == 0;
        yield return new(form.Source(call.Device, kernel, Matrix(product.X.DType), whole, elements[1..]), Grid(product), arguments);
    }

    // Weights have no gaps, whatever their rank: their rows are as long as the product is deep.
    private static bool Begins(Tensor tensor) => tensor.Offset % (MatrixProduct.Piece * sizeof(ushort)) == 0;

    private static GpuArguments Sizes(GpuArguments arguments, GpuProduct product) => arguments.Int(product.Rows).Int(product.Columns).Int(product.Depth).Int(product.X.RowPitch);

    private static long ScratchBytes(ProductSize size) => FilterOrder.ScratchBytes(size.Columns, size.Depth, size.Taps, size.Weight, size.TapsFirst);

    private static int Groups(int count, int size) => (count + size - 1) / size;
}
