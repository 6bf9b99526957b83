using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The launches of GEMMs with matrix instructions.</summary>
internal static class MatrixGemmLaunches
{
    /// <summary>Variants of an op that consists of GEMMs, for 16-bit activations and weights of the same type.</summary>
    /// <param name="gemms">The GEMMs of a call.</param>
    /// <param name="sizes">Their sizes, for a signature.</param>
    /// <param name="weights">Types of their weights; null for the op's second argument alone.</param>
    public static KernelVariant[] Variants(
        Func<OpCall, IEnumerable<GpuGemm>> gemms, Func<OpSignature, IEnumerable<GemmSize>> sizes,
            Func<OpSignature, IEnumerable<DType>>? weights = null) =>
        [.. MatrixUnitVariant.All.Select(form => new KernelVariant(form.Name, form.Backends, (_, _) => new GpuKernel(
            call => gemms(call).SelectMany(gemm => Stages(form, gemm, call)), signature => sizes(signature).Max(ScratchBytes)))
        {
            // The type is not known here: a device that lacks one of the two types uses tiles for both.
            SupportsDevice = device => form.Supports(device, MatrixTypes.Float16 | MatrixTypes.BFloat16),
            SupportsTypes = signature => signature.Inputs[0].DType is DType.Float16 or DType.BFloat16
                && (weights?.Invoke(signature) ?? [signature.Inputs[1].DType]).All(w => w == signature.Inputs[0].DType),
            // With few rows, time is that of reading the weights.
            SupportsShape = signature => sizes(signature).All(size => size.Rows > RowDotGemm.MostRows),
        })];

    /// <summary>The grid of a GEMM.</summary>
    public static GpuGrid Grid(GpuGemm gemm) =>
        new(IntegerMath.CeilDiv(gemm.Rows, MatrixGemm.Rows),
            IntegerMath.CeilDiv(gemm.Columns, gemm.Gated ? MatrixGemm.Half : MatrixGemm.Columns));

    /// <summary>Whether every row can be copied in vectors of 16 bytes.</summary>
    public static bool IsWhole(Tensor tensor) => tensor.RowPitch % MatrixGemm.Piece == 0 && Begins(tensor);

    /// <summary>The matrix type of a 16-bit element type.</summary>
    public static Type Matrix(DType dtype) => dtype == DType.BFloat16 ? typeof(Bf16Matrix) : typeof(Fp16Matrix);

    private static IEnumerable<LaunchSpecification> Stages(MatrixUnitVariant form, GpuGemm gemm, OpCall call)
    {
        var (w, order) = FilterOrder.Of(gemm, call.Scratch);
        if (order is { } first) yield return first;
        var operands = new GpuArguments().View("x", gemm.X).View("w", w);
        var arguments = gemm.Gated
            ? gemm.Sizes(operands.View("bias", gemm.Bias).View("y", gemm.Y)).Int("terms", gemm.Terms)
                .Int("yPitch", gemm.Y.RowPitch)
            : gemm.ResultNumbers(gemm.Sizes(gemm.ResultViews(operands)));
        gemm.Image?.Numbers(arguments);
        string kernel = gemm.Gated ? nameof(MatrixGemm.Gated) : gemm.Image is null ? nameof(MatrixGemm.Plain)
            : nameof(MatrixGemm.Image);
        Type[] elements = gemm.Types(weight: false, activation: !gemm.Gated);
        bool whole = IsWhole(gemm.X) && Begins(w) && gemm.Depth % MatrixGemm.Piece == 0;
        yield return new(form.Source(call.Device, kernel, Matrix(gemm.X.DType), whole, elements[1..]), Grid(gemm), arguments);
    }

    // Weights have no gaps, whatever their rank: their row pitch is K.
    private static bool Begins(Tensor tensor) => tensor.Offset % (MatrixGemm.Piece * sizeof(ushort)) == 0;

    private static long ScratchBytes(GemmSize size) =>
        FilterOrder.ScratchBytes(size.Columns, size.Depth, size.KernelPositions, size.Weight, size.KernelPositionsFirst);
}
