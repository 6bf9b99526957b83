using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Several <see cref="QuantizedMatMul"/> of one x, which is quantised once, concatenated in one result: x [..., K]; then the weights wᵢ
/// [Nᵢ, K] Int8; then their scales [Nᵢ] Float32; then, if any, all biases [Nᵢ] Float32 → [..., N₁ + N₂ + …]. Used for query, key and value
/// of attention with int8 weights. Bits are those of the single ops.
/// </summary>
/// <param name="Count">Number of GEMMs.</param>
public sealed record GroupedQuantizedMatMul(int Count) : Op
{
    private static readonly KernelSet Set = new("grouped_quantized_matmul",
        [CpuKernel.Variant("cpu/packed", SimdKernel.Bind<GroupedQuantizedMatMulCpu>, GroupedQuantizedMatMulCpu.ScratchBytes)
            with { Tuning = QuantizedMatMulCpu.Tuning }, .. QuantizedMatMulGpu.VariantsOf(Calls, Signatures)]);

    /// <inheritdoc/>
    public override KernelSet Kernels => Set;

    /// <inheritdoc/>
    public override OpKind Kind => OpKind.MatrixProduct;

    /// <inheritdoc/>
    public override TensorType Infer(ReadOnlySpan<TensorType> inputs)
    {
        Check(Count > 0, "count", Count, "at least 1");
        bool biased = inputs.Length > 1 + 2 * Count;
        CheckCount(inputs, 1 + (biased ? 3 : 2) * Count);
        var parts = new TensorType[Count];
        for (int i = 0; i < Count; i++)
            parts[i] = new QuantizedMatMul().Infer(biased
                ? [inputs[0], inputs[1 + i], inputs[1 + Count + i], inputs[1 + 2 * Count + i]]
                : [inputs[0], inputs[1 + i], inputs[1 + Count + i]]);
        return new Concat(-1).Infer(parts);
    }

    /// <inheritdoc/>
    public override ShapeBucket? Bucket(OpSignature signature)
    {
        Shape x = signature.Inputs[0].Concrete();
        ValueArray<int> columns = new([.. signature.Inputs[1..(1 + Count)].Select(w => w.Concrete()[0])]);
        return ShapeBucket.Of(x.Rows, new GemmShape(x.Last, columns));
    }

    /// <inheritdoc/>
    public override double Flops(OpSignature signature) => 2.0 * signature.Output.Concrete().Count * signature.Inputs[0].Concrete().Last;

    /// <summary>The single ops of a call, each with its columns of the result.</summary>
    internal static IEnumerable<OpCall> Calls(OpCall call)
    {
        int count = ((GroupedQuantizedMatMul)call.Op).Count, column = 0;
        for (int i = 0; i < count; i++)
        {
            Tensor[] arguments = [.. Enumerable.Range(0, (call.Inputs.Length - 1) / count).Select(j => call.Inputs[1 + j * count + i])];
            int width = arguments[0].Shape[0];
            yield return call with
            {
                Op = new QuantizedMatMul(),
                Inputs = [call.Inputs[0], .. arguments],
                Output = call.Output.Columns(column, width),
            };
            column += width;
        }
    }

    /// <summary>Their signatures.</summary>
    internal static IEnumerable<OpSignature> Signatures(OpSignature signature)
    {
        int count = ((GroupedQuantizedMatMul)signature.Op).Count;
        return Enumerable.Range(0, count).Select(i =>
        {
            TensorType[] inputs = [signature.Inputs[0], .. Enumerable.Range(0, (signature.Inputs.Length - 1) / count)
                .Select(j => signature.Inputs[1 + j * count + i])];
            return signature with
            {
                Op = new QuantizedMatMul(),
                Inputs = inputs,
                Output = signature.Output.WithLast(inputs[1].Shape[0]),
            };
        });
    }
}
