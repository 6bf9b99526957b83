using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Quantises rows, multiplies the integers in float32, and scales. A partial sum of 256 products is below 2²⁴ and so exact, and the totals
/// are too as long as they stay below that, as those of real activations do.
/// </summary>
internal static class QuantizedMatMulGpu
{
    private const int GroupSize = 256;

    /// <summary>The variants of an op that consists of one or several GEMMs of one x, which is quantised once.</summary>
    /// <param name="calls">The GEMMs of a call, as <see cref="QuantizedMatMul"/> with the same scratch memory.</param>
    /// <param name="signatures">Their signatures.</param>
    /// <remarks>Int8 is faster than floats on devices with a four-way dot product, except for few rows, where time is that of reading the
    /// weights.</remarks>
    public static KernelVariant[] VariantsOf(
        Func<OpCall, IEnumerable<OpCall>> calls, Func<OpSignature, IEnumerable<OpSignature>> signatures)
    {
        return [.. GpuGemmVariants.All.SelectMany(variant => variant.Name == "gpu/tiles"
            ? (KernelVariant[])[.. QuantizedMatMulBytes.Matrices(calls, signatures), QuantizedMatMulBytes.Dot(calls, signatures),
                Of(variant)]
            : [Of(variant)])];

        KernelVariant Of(GpuGemmVariant variant) => GpuKernel.Variant(variant.Name, (target, _) => new GpuKernel(
            call => calls(call).SelectMany((part, i) => Stages(variant, target, part, quantizes: i == 0)),
            signature => signatures(signature).Max(part => OwnBytes(part) + variant.ScratchBytes(GemmSize.Of(part))))) with
        {
            SupportsDevice = variant.SupportsDevice,
            SupportsShape = signature => signatures(signature).All(part => variant.SupportsSize(GemmSize.Of(part))),
        };
    }

    private static IEnumerable<LaunchSpecification> Stages(GpuGemmVariant variant, GpuTarget target, OpCall call, bool quantizes)
    {
        var epilogue = ((QuantizedMatMul)call.Op).Epilogue;
        var plain = epilogue.Without(call);
        Tensor x = plain.Inputs[0], w = plain.Inputs[1], y = call.Output, scratch = call.Scratch!;
        long offset = 0;
        Tensor integers = Part(x.Rows, x.Width), scales = Part(1, x.Rows), sums = Part(y.Rows, y.Width);
        if (quantizes) yield return QuantizeGpu.ToFloats(target, x, integers, scales);
        long left = scratch.Shape.Count - offset;
        var rest = left > 0 ? new Tensor(scratch.Buffer, scratch.Offset + offset, DType.Int8, [checked((int)left)]) : null;
        foreach (var stage in variant.Launches(new GpuGemm(integers, w, null, sums) { Packed = call.Packed }, rest)) yield return stage;
        var gemm = GpuGemm.Of(plain with { Inputs = [x, w, .. plain.Inputs[3..]] }, call, epilogue);
        var operands = new GpuArguments().View("sums", sums).View("rowScales", scales).View("columnScales", plain.Inputs[2]);
        var arguments = gemm.ResultViews(operands).Int("rows", gemm.Rows).Int("columns", gemm.Columns);
        yield return new(
            KernelSource.Of(typeof(QuantizedMatMulGpu), nameof(Scale), GroupSize, gemm.Types(weight: false, activation: true)),
            GpuGrid.Over((long)gemm.Rows * gemm.Columns, GroupSize), gemm.ResultNumbers(arguments));

        Tensor Part(int rows, int columns)
        {
            var part = new Tensor(scratch.Buffer, scratch.Offset + offset, DType.Float32, [rows, columns]);
            offset += Whole(part.Shape.Count);
            return part;
        }
    }

    internal static void Scale<T, E, B, BE, TActivation>(
        ArrayView<float> sums, ArrayView<float> rowScales, ArrayView<float> columnScales, ArrayView<B> bias, ArrayView<T> batchBias,
        ArrayView<T> residual, ArrayView<T> y, int rows, int columns,
        int terms, int rowsPerEntry, int batchBiasPitch, int residualPitch, int yPitch, float scale)
        where T : unmanaged where E : struct, IElement<T> where B : unmanaged where BE : struct, IElement<B>
            where TActivation : struct, IActivation
    {
        int item = Grid.IdxX * Group.DimX + Group.IdxX, row = item / columns, column = item % columns;
        if (row >= rows) return;
        var finish = new GpuGemmEpilogue<T, E, B, BE, TActivation>(bias, batchBias, residual, y, terms, rowsPerEntry, batchBiasPitch,
            residualPitch, yPitch, scale);
        finish.Write(row, column, sums[item] * rowScales[row] * columnScales[column]);
    }

    private static long OwnBytes(OpSignature signature)
    {
        Shape x = signature.Inputs[0].Concrete(), y = signature.Output.Concrete();
        return Whole(x.Count) + Whole(y.Count) + Whole(x.Rows);
    }

    // Each section is aligned for vector access.
    private static long Whole(long floats) => (floats * sizeof(float) + 63) / 64 * 64;
}
