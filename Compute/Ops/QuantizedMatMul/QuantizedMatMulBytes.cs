using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Quantises rows to int8 and multiplies int8 with int32 sums, which are exact for every K that the op allows.</summary>
internal static class QuantizedMatMulBytes
{
    private const int FillGroup = 256;

    /// <summary>With dot products of four int8.</summary>
    public static KernelVariant Dot(
        Func<OpCall, IEnumerable<OpCall>> calls, Func<OpSignature, IEnumerable<OpSignature>> signatures) =>
        GpuKernel.Variant("gpu/dot", (target, _) => new GpuKernel(
            call => calls(call).SelectMany((part, i) => Stages(target, part, DotProduct, quantizes: i == 0)),
            signature => signatures(signature).Max(ScratchBytes))) with
        {
            SupportsDevice = device => ((GpuDevice)device).Target is { IsCpu: false, Features.Dot: not IntegerDotKind.None },
        };

    /// <summary>With matrix instructions.</summary>
    public static KernelVariant[] Matrices(
        Func<OpCall, IEnumerable<OpCall>> calls, Func<OpSignature, IEnumerable<OpSignature>> signatures) =>
        [.. MatrixUnitVariant.All.Select(form => new KernelVariant(form.Name, form.Backends, (device, _) => new GpuKernel(
            call => calls(call).SelectMany((part, i) => Stages(((GpuDevice)device).Target, part,
                (gemm, arguments, pieces) => MatrixGemmLaunch(form, call.Device, gemm, arguments, pieces), quantizes: i == 0)),
            signature => signatures(signature).Max(ScratchBytes)))
        {
            SupportsDevice = device => form.Supports(device, MatrixTypes.Int8),
            // with fewer, time is that of reading the weights
            SupportsShape = signature => GemmSize.Of(signature).Rows > RowDotGemm.MostRows,
        })];

    private static LaunchSpecification DotProduct(GpuGemm gemm, GpuArguments arguments, int pieces) => new(
        KernelSource.Of(typeof(Int8GemmGpu), nameof(Int8GemmGpu.Kernel), Int8GemmGpu.GroupSize,
            gemm.Types(weight: false, activation: true)),
        new GpuGrid(IntegerMath.CeilDiv(gemm.Rows, Int8GemmGpu.Rows), IntegerMath.CeilDiv(gemm.Columns, Int8GemmGpu.Columns)),
        gemm.ResultNumbers(arguments.Int("pieces", pieces)));

    private static LaunchSpecification MatrixGemmLaunch(MatrixUnitVariant form, Device device, GpuGemm gemm, GpuArguments arguments,
        int pieces) => new(
        form.Source(device, nameof(MatrixGemm.Bytes), typeof(Int8Matrix), whole: true, gemm.Types(weight: false, activation: true)),
        MatrixGemmLaunches.Grid(gemm), gemm.ResultNumbers(arguments.Int("depth", pieces * MatrixGemm.Piece)));

    private static IEnumerable<LaunchSpecification> Stages(GpuTarget target, OpCall call,
        Func<GpuGemm, GpuArguments, int, LaunchSpecification> multiply, bool quantizes)
    {
        var epilogue = ((QuantizedMatMul)call.Op).Epilogue;
        var plain = epilogue.Without(call);
        Tensor x = plain.Inputs[0], w = plain.Inputs[1], y = call.Output, scratch = call.Scratch!;
        int pieces = Pieces(x.Width), words = pieces * Int8GemmGpu.Piece / sizeof(int);
        var integers = new Tensor(scratch.Buffer, scratch.Offset, DType.Int32, [x.Rows, words]);
        var scales = new Tensor(scratch.Buffer, integers.Offset + Bytes(x.Rows, pieces), DType.Float32, [x.Rows]);
        if (quantizes) yield return QuantizeGpu.ToWords(target, x, integers, scales);
        if (!IsWhole(x.Width))
        {
            var filled = new Tensor(scratch.Buffer, scales.Offset + Bytes(x.Rows), DType.Int32, [y.Width, words]);
            int count = checked((int)filled.Shape.Count);
            yield return new(
                KernelSource.Of(typeof(Int8GemmGpu), nameof(Int8GemmGpu.Fill), FillGroup), GpuGrid.Over(count, FillGroup),
                new GpuArguments().View("source", w).View("target", filled).Int("count", count).Int("width", x.Width).Int("words", words));
            w = filled;
        }

        var gemm = GpuGemm.Of(plain with { Inputs = [x, w, .. plain.Inputs[3..]] }, call, epilogue);
        var operands = new GpuArguments().View("x", integers).View("w", w).View("rowScales", scales).View("columnScales", plain.Inputs[2]);
        yield return multiply(gemm, gemm.ResultViews(operands).Int("rows", gemm.Rows).Int("columns", gemm.Columns), pieces);
    }

    private static long ScratchBytes(OpSignature signature)
    {
        Shape x = signature.Inputs[0].Concrete();
        int columns = signature.Output.Concrete().Last;
        return Bytes(x.Rows, Pieces(x.Last)) + Bytes(x.Rows) + (IsWhole(x.Last) ? 0 : Bytes(columns, Pieces(x.Last)));
    }

    // Weights whose rows are whole vectors are multiplied in place.
    private static bool IsWhole(int width) => width % Int8GemmGpu.Piece == 0;

    private static int Pieces(int width) => IntegerMath.CeilDiv(width, Int8GemmGpu.Piece);

    private static long Bytes(int rows, int pieces) => (long)rows * pieces * Int8GemmGpu.Piece;

    private static long Bytes(int floats) => IntegerMath.RoundUp(floats * (long)sizeof(float), Int8GemmGpu.Piece);
}
