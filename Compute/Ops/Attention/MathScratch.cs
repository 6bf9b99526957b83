using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Sizes of a call of <see cref="MathAttention"/>.</summary>
/// <param name="Pairs">Entries times heads.</param>
/// <param name="Queries">Queries of an entry.</param>
/// <param name="Keys">Keys of an entry.</param>
/// <param name="Depth">Width of a head of q and k.</param>
/// <param name="ValueDepth">Width of a head of v.</param>
/// <param name="Widens">Whether the arguments have 16 bits.</param>
internal readonly record struct MathShape(int Pairs, int Queries, int Keys, int Depth, int ValueDepth, bool Widens)
{
    /// <summary>Scratch bytes without those of the GEMMs: mostly 4 · queries · keys.</summary>
    public long Bytes => sizeof(float) * (Round((long)Queries * Keys) + Round((long)Keys * Depth) + Round((long)Keys * ValueDepth)
        + (Widens ? Round((long)Queries * Depth) + Round((long)Keys * ValueDepth) + Round((long)Queries * ValueDepth) : 0));

    public static MathShape Of(OpSignature signature) => Of(signature.Op, signature.Inputs[0].Concrete(), signature.Inputs[1].Concrete(),
        signature.Inputs[2].Concrete(), signature.Inputs[0].DType);

    public static MathShape Of(OpCall call) =>
        Of(call.Op, call.Inputs[0].Shape, call.Inputs[1].Shape, call.Inputs[2].Shape, call.Inputs[0].DType);

    /// <summary>Elements to the next part: whole cache lines.</summary>
    public static long Round(long elements) => IntegerMath.RoundUp(elements, 16);

    private static MathShape Of(Op op, Shape q, Shape k, Shape v, DType dtype)
    {
        int heads = ((ScaledDotProductAttention)op).Heads, batch = Math.Max(1, q[0]);
        return new(q[0] * heads, q.Rows / batch, k.Rows / batch, q.Last / heads, v.Last / heads, dtype != DType.Float32);
    }
}

/// <summary>The parts of the scratch memory of <see cref="MathAttention"/>, in float32; all heads use the same.</summary>
internal sealed class MathScratch
{
    private readonly Tensor scratch;
    private long offset;

    public MathScratch(Tensor scratch, MathShape shape)
    {
        this.scratch = scratch;
        Scores = Part(shape.Queries, shape.Keys);
        Keys = Part(shape.Keys, shape.Depth);
        Columns = Part(shape.ValueDepth, shape.Keys);
        (Queries, Values, Results) = shape.Widens
            ? (Part(shape.Queries, shape.Depth), Part(shape.Keys, shape.ValueDepth), Part(shape.Queries, shape.ValueDepth))
            : (Scores, Scores, Scores); // not used
        Gemm = new Tensor(scratch.Buffer, scratch.Offset + offset, DType.Int8, [checked((int)(scratch.Shape.Count - offset))]);
    }

    /// <summary>Scores, then weights, of one head: [queries, keys].</summary>
    public Tensor Scores { get; }

    /// <summary>Keys of one head: [keys, depth].</summary>
    public Tensor Keys { get; }

    /// <summary>Values of one head, transposed: [value depth, keys].</summary>
    public Tensor Columns { get; }

    /// <summary>Widened queries: [queries, depth].</summary>
    public Tensor Queries { get; }

    /// <summary>Widened values: [keys, value depth].</summary>
    public Tensor Values { get; }

    /// <summary>Results before rounding: [queries, value depth].</summary>
    public Tensor Results { get; }

    /// <summary>Scratch memory of the GEMMs.</summary>
    public Tensor Gemm { get; }

    private Tensor Part(int rows, int columns)
    {
        var part = new Tensor(scratch.Buffer, scratch.Offset + offset, DType.Float32, [rows, columns]);
        offset += MathShape.Round(part.Shape.Count) * sizeof(float);
        return part;
    }
}
