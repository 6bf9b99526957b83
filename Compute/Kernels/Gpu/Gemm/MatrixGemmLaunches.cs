using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The launches of a product with matrix instructions.</summary>
internal static class MatrixGemmLaunches
{
    /// <summary>The ways to compute an op that is made of products, for 16-bit activations and weights of the same type.</summary>
    /// <param name="products">The products of a call.</param>
    /// <param name="sizes">Their sizes, for a signature.</param>
    /// <param name="weights">The types of their weights; null for the op's second argument alone.</param>
    public static KernelVariant[] Variants(
        Func<OpCall, IEnumerable<GpuGemm>> products, Func<OpSignature, IEnumerable<GemmSize>> sizes, Func<OpSignature, IEnumerable<DType>>? weights = null) =>
        [.. MatrixUnitVariant.All.Select(form => new KernelVariant(form.Name, form.Backends, (_, _) => new GpuKernel(
            call => products(call).SelectMany(product => Stages(form, product, call)), signature => sizes(signature).Max(ScratchBytes)))
        {
            // A device without one of the two does with tiles: which type is asked for is not known here.
            SupportsDevice = device => form.Supports(device, MatrixTypes.Float16 | MatrixTypes.BFloat16),
            SupportsTypes = signature => signature.Inputs[0].DType is DType.Float16 or DType.BFloat16
                && (weights?.Invoke(signature) ?? [signature.Inputs[1].DType]).All(w => w == signature.Inputs[0].DType),
            // A few rows only wait for the weights.
            SupportsShape = signature => sizes(signature).All(size => size.Rows > RowDotGemm.MostRows),
        })];

    /// <summary>The groups of a product.</summary>
    public static GpuGrid Grid(GpuGemm product) => new(Groups(product.Rows, MatrixGemm.Rows), Groups(product.Columns, product.Gated ? MatrixGemm.Half : MatrixGemm.Columns));

    /// <summary>Whether every row begins where sixteen bytes can be copied at once.</summary>
    public static bool IsWhole(Tensor tensor) => tensor.RowPitch % MatrixGemm.Piece == 0 && Begins(tensor);

    /// <summary>How a 16-bit type is multiplied.</summary>
    public static Type Matrix(DType dtype) => dtype == DType.BFloat16 ? typeof(Bf16Matrix) : typeof(Fp16Matrix);

    private static IEnumerable<LaunchSpecification> Stages(MatrixUnitVariant form, GpuGemm product, OpCall call)
    {
        var (w, order) = FilterOrder.Of(product, call.Scratch);
        if (order is { } first) yield return first;
        var operands = new GpuArguments().View(product.X).View(w);
        var arguments = product.Gated
            ? Sizes(operands.View(product.Bias).View(product.Y), product).Int(product.Terms).Int(product.Y.RowPitch)
            : product.ResultNumbers(Sizes(product.ResultViews(operands), product));
        product.Image?.Numbers(arguments);
        string kernel = product.Gated ? nameof(MatrixGemm.Gated) : product.Image is null ? nameof(MatrixGemm.Plain) : nameof(MatrixGemm.Image);
        Type[] elements = product.Types(weight: false, activation: !product.Gated);
        bool whole = IsWhole(product.X) && Begins(w) && product.Depth % MatrixGemm.Piece == 0;
        yield return new(form.Source(call.Device, kernel, Matrix(product.X.DType), whole, elements[1..]), Grid(product), arguments);
    }

    // Weights have no gaps, whatever their rank: their rows are as long as the product is deep.
    private static bool Begins(Tensor tensor) => tensor.Offset % (MatrixGemm.Piece * sizeof(ushort)) == 0;

    private static GpuArguments Sizes(GpuArguments arguments, GpuGemm product) => arguments.Int(product.Rows).Int(product.Columns).Int(product.Depth).Int(product.X.RowPitch);

    private static long ScratchBytes(GemmSize size) => FilterOrder.ScratchBytes(size.Columns, size.Depth, size.KernelPositions, size.Weight, size.KernelPositionsFirst);

    private static int Groups(int count, int size) => (count + size - 1) / size;
}
