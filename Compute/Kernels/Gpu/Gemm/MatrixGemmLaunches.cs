using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The launches of GEMMs with matrix instructions.</summary>
internal static class MatrixGemmLaunches
{
    private const long MostElements = 1L << 30; // of an operand: kernels count 16-bit words with an int

    /// <summary>
    /// Variants of an op that consists of GEMMs, for 16-bit activations and weights of the same type, and for both in float32 as TF32.
    /// </summary>
    /// <param name="gemms">The GEMMs of a call.</param>
    /// <param name="sizes">Their sizes, for a signature.</param>
    /// <param name="weights">Types of their weights; null for the op's second argument alone.</param>
    public static KernelVariant[] Variants(
        Func<OpCall, IEnumerable<GpuGemm>> gemms, Func<OpSignature, IEnumerable<GemmSize>> sizes,
            Func<OpSignature, IEnumerable<DType>>? weights = null)
    {
        return
        [
            // The type is not known here: a device that lacks one of the two types uses tiles for both.
            .. MatrixUnitVariant.All.Select(form => Variant(form, form.Name, MatrixTypes.Float16 | MatrixTypes.BFloat16,
                signature => signature.Inputs[0].DType is DType.Float16 or DType.BFloat16)),
            Variant(MatrixUnitVariant.TensorCores, TensorFloat32, MatrixTypes.TensorFloat32, signature =>
                signature is { Float32Precision: Float32Precision.TensorFloat32, Inputs: [{ DType: DType.Float32 }, ..] }
                    && signature.Inputs.All(input => input.Concrete().Count < MostElements)),
        ];

        KernelVariant Variant(MatrixUnitVariant form, string name, MatrixTypes types, Func<OpSignature, bool> supports) => new(name,
            form.Backends, (_, _) => new GpuKernel(call => gemms(call).SelectMany(gemm => Stages(form, gemm, call)),
                signature => sizes(signature).Max(ScratchBytes)))
        {
            SupportsDevice = device => form.Supports(device, types),
            SupportsTypes = signature => supports(signature)
                && (weights?.Invoke(signature) ?? [signature.Inputs[1].DType]).All(w => w == signature.Inputs[0].DType),
            // With few rows, time is that of reading the weights.
            SupportsShape = signature => sizes(signature).All(size => size.Rows > RowDotGemm.MostRows),
        };
    }

    /// <summary>The variant of float32 operands that are multiplied as TF32.</summary>
    public const string TensorFloat32 = "cuda/tf32";

    /// <summary>The grid of a GEMM.</summary>
    public static GpuGrid Grid(GpuGemm gemm) =>
        new(IntegerMath.CeilDiv(gemm.Rows, MatrixGemm.Rows),
            IntegerMath.CeilDiv(gemm.Columns, gemm.Gated ? MatrixGemm.Half : MatrixGemm.Columns));

    /// <summary>Whether every row can be copied in vectors of 16 bytes.</summary>
    public static bool IsWhole(Tensor tensor) => Words(tensor.DType) * tensor.RowPitch % MatrixGemm.Piece == 0 && Begins(tensor);

    /// <summary>The matrix type of an element type.</summary>
    public static Type Matrix(DType dtype) => dtype switch
    {
        DType.BFloat16 => typeof(Bf16Matrix),
        DType.Float16 => typeof(Fp16Matrix),
        _ => typeof(Tf32Matrix),
    };

    /// <summary>16-bit words of an element.</summary>
    private static int Words(DType dtype) => dtype.Size() / sizeof(ushort);

    private static IEnumerable<LaunchSpecification> Stages(MatrixUnitVariant form, GpuGemm gemm, OpCall call)
    {
        var (w, order) = FilterOrder.Of(gemm, call.Scratch);
        if (order is { } first) yield return first;
        var operands = new GpuArguments().View("x", gemm.X).View("w", w);
        int words = Words(gemm.X.DType);
        var arguments = gemm.Gated
            ? gemm.Sizes(operands.View("bias", gemm.Bias).View("y", gemm.Y), words).Int("terms", gemm.Terms)
                .Int("yPitch", gemm.Y.RowPitch)
            : gemm.ResultNumbers(gemm.Sizes(gemm.ResultViews(operands), words));
        gemm.Image?.Numbers(arguments);
        string kernel = gemm.Gated ? nameof(MatrixGemm.Gated) : gemm.Image is null ? nameof(MatrixGemm.Plain)
            : nameof(MatrixGemm.Image);
        Type[] elements = gemm.Types(weight: false, activation: !gemm.Gated);
        bool whole = IsWhole(gemm.X) && Begins(w) && words * gemm.Depth % MatrixGemm.Piece == 0;
        yield return new(form.Source(call.Device, kernel, Matrix(gemm.X.DType), whole, elements), Grid(gemm), arguments);
    }

    // Weights have no gaps, whatever their rank: their row pitch is K.
    private static bool Begins(Tensor tensor) => tensor.Offset % (MatrixGemm.Piece * sizeof(ushort)) == 0;

    private static long ScratchBytes(GemmSize size) =>
        FilterOrder.ScratchBytes(size.Columns, size.Depth, size.KernelPositions, size.Weight, size.KernelPositionsFirst);
}
