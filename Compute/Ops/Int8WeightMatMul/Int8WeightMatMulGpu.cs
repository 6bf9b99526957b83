using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Widens the weights into scratch memory, then multiplies as <see cref="MatMul"/> does. With many rows this takes little time beside the
/// GEMM; with few, weights are read as they are.
/// </summary>
internal static class Int8WeightMatMulGpu
{
    private const int GroupSize = 256;
    private const int Alignment = 64; // vector access
    private const string FewRows = "gpu/rows";

    public static KernelVariant[] Variants { get; } =
        [.. MatrixUnitVariant.All.Select(Matrices), .. GpuGemmVariants.All.Select(Of)];

    private static KernelVariant Matrices(MatrixUnitVariant form) => new(form.Name, form.Backends, (_, _) => new GpuKernel(
        call => MatrixStages(form, call), signature => WidenedBytes(signature, signature.Inputs[0].DType)))
    {
        SupportsDevice = device => form.Supports(device, MatrixTypes.Float16 | MatrixTypes.BFloat16),
        SupportsTypes = signature => signature.Inputs[0].DType is DType.Float16 or DType.BFloat16,
        SupportsShape = signature => GemmSize.Of(signature).Rows > RowDotGemm.MostRows,
    };

    private static KernelVariant Of(GpuGemmVariant variant) => GpuKernel.Variant(variant.Name, _ => variant.Name == FewRows
        ? new GpuKernel(call => [RowStage(call)])
        : new GpuKernel(call => Stages(variant, call),
            signature => WidenedBytes(signature, DType.Float32) + variant.ScratchBytes(Widened(signature)))) with
    {
        SupportsDevice = variant.SupportsDevice,
        SupportsShape = signature => variant.SupportsSize(GemmSize.Of(signature)),
    };

    /// <summary>Int8 is exact in 16 bits, and sums are scaled as float32, so that nothing is rounded on the way.</summary>
    private static IEnumerable<LaunchSpecification> MatrixStages(MatrixUnitVariant form, OpCall call)
    {
        var w = WidenedWeights(call, call.Inputs[0].DType);
        yield return Widen(call, w, scaled: false);
        var gemm = Gemm(call) with { W = w };
        bool whole = MatrixGemmLaunches.IsWhole(gemm.X) && gemm.Depth % MatrixGemm.Piece == 0;
        Type[] elements = gemm.Types(weight: false, activation: true);
        yield return new(form.Source(call.Device, nameof(MatrixGemm.Scaled), MatrixGemmLaunches.Matrix(gemm.X.DType), whole, elements[1..]),
            MatrixGemmLaunches.Grid(gemm), Arguments(gemm, call));
    }

    private static LaunchSpecification RowStage(OpCall call)
    {
        var gemm = Gemm(call);
        bool wide = Access.IsWide(gemm.Depth, gemm.X, gemm.W);
        return new(KernelSource.Of(typeof(RowDotGemm), nameof(RowDotGemm.Scaled), RowDotGemm.GroupSize,
            [.. gemm.Types(weight: true, activation: true), Access.Of(wide)]), new GpuGrid(gemm.Columns, gemm.Rows), Arguments(gemm, call));
    }

    private static IEnumerable<LaunchSpecification> Stages(GpuGemmVariant variant, OpCall call)
    {
        var w = WidenedWeights(call, DType.Float32);
        yield return Widen(call, w, scaled: true);
        long used = Bytes(w.Type), left = call.Scratch!.Shape.Count - used;
        var rest = left > 0 ? new Tensor(w.Buffer, w.Offset + used, DType.Int8, [checked((int)left)]) : null;
        // packed copies are kept for weights that stay in their place, which these do not
        foreach (var stage in variant.Launches(Gemm(call) with { W = w, Packed = null }, rest)) yield return stage;
    }

    private static GpuGemm Gemm(OpCall call)
    {
        var epilogue = ((Int8WeightMatMul)call.Op).Epilogue;
        var plain = epilogue.Without(call);
        return GpuGemm.Of(plain with { Inputs = [plain.Inputs[0], plain.Inputs[1], .. plain.Inputs[3..]] }, call, epilogue);
    }

    private static GpuArguments Arguments(GpuGemm gemm, OpCall call) => gemm.ResultNumbers(gemm.Sizes(gemm.ResultViews(
        new GpuArguments().View("x", gemm.X).View("w", gemm.W).View("columnScales", call.Inputs[2]))));

    private static LaunchSpecification Widen(OpCall call, Tensor widened, bool scaled)
    {
        var w = ElementGrid.Indexed(call.Inputs[1]);
        int count = checked((int)w.Shape.Count);
        return new(KernelSource.Of(typeof(Int8WeightMatMulGpu), nameof(WidenKernel), GroupSize, GpuElements.Of(widened.DType)),
            GpuGrid.Over(count, GroupSize),
            new GpuArguments().View("w", w).View("scales", call.Inputs[2]).View("widened", widened).Int("count", count)
                .Int("depth", w.Width).Int("scaled", scaled ? 1 : 0));
    }

    internal static void WidenKernel<T, E>(
        ArrayView<sbyte> w, ArrayView<float> scales, ArrayView<T> widened, int count, int depth, int scaled)
        where T : unmanaged where E : struct, IElement<T>
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i < count) widened[i] = E.Narrow(scaled != 0 ? w[i] * scales[i / depth] : w[i]);
    }

    private static GemmSize Widened(OpSignature signature) =>
        GemmSize.Of(signature) with { Weight = DType.Float32, KeepsPacked = false };

    private static Tensor WidenedWeights(OpCall call, DType dtype) =>
        new(call.Scratch!.Buffer, call.Scratch.Offset, dtype, call.Inputs[1].Shape);

    private static long WidenedBytes(OpSignature signature, DType dtype) => Bytes(new(dtype, signature.Inputs[1].Shape));

    private static long Bytes(TensorType type) => IntegerMath.RoundUp(type.Bytes, Alignment);
}
