using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Sizes and pitches of a call.</summary>
internal sealed class AttentionSizes
{
    private readonly int maskBatch, maskHead, maskQuery;
    private readonly ScaledDotProductAttention op;
    private readonly Tensor y;

    public AttentionSizes(OpCall call)
    {
        (op, y) = ((ScaledDotProductAttention)call.Op, call.Output);
        (Q, K, V, Mask) = (call.Inputs[0], call.Inputs[1], call.Inputs[2], call.Inputs.Length > 3 ? call.Inputs[3] : null);
        Batch = Q.Shape[0];
        (Queries, Keys) = (Q.Rows / Math.Max(Batch, 1), K.Rows / Math.Max(Batch, 1));
        (Depth, ValueDepth) = (Q.Width / Heads, V.Width / Heads);
        if (Mask is null) return;
        var (entries, heads, rows) = (Mask.Shape[0], Mask.Shape.Rank == 4 ? Mask.Shape[1] : 1, Mask.Shape[^2]);
        bool fits = (entries == 1 || entries == Batch) && (heads == 1 || heads == Heads) && (rows == 1 || rows == Queries)
            && Mask.Width == Keys;
        ShapeException.ThrowUnless(fits, "attention", "mask", Mask, $"[{Batch} or 1, ({Heads} or 1,) {Queries} or 1, {Keys}]");
        maskQuery = rows == 1 ? 0 : Mask.RowPitch;
        maskHead = heads == 1 ? 0 : rows * Mask.RowPitch;
        maskBatch = entries == 1 ? 0 : heads * rows * Mask.RowPitch;
    }

    public Tensor Q { get; }

    public Tensor K { get; }

    public Tensor V { get; }

    public Tensor? Mask { get; }

    public int Heads => op.Heads;

    public int Batch { get; }

    public int Queries { get; }

    public int Keys { get; }

    public int Depth { get; }

    public int ValueDepth { get; }

    /// <summary>Type arguments of kernels with matrix instructions: matrix instruction, vector loader, 16-bit storage type.</summary>
    public Type[] TypeArguments()
    {
        bool whole = Depth % MatrixGemm.Piece == 0 && ValueDepth % MatrixGemm.Piece == 0
            && new[] { Q, K, V }.All(MatrixGemmLaunches.IsWhole);
        return [MatrixGemmLaunches.Matrix(Q.DType), whole ? typeof(WholePieces) : typeof(ElementPieces), GpuElements.Of(Q.DType)[1]];
    }

    /// <summary>How such kernels multiply softmax weights, an <see cref="IWeightParts"/>.</summary>
    public Type Parts => op.Options.Precise ? typeof(ExactWeights) : typeof(RoundedWeights);

    /// <summary>The scale of the logits.</summary>
    public float Scale => (float)(op.Scale ?? 1 / Math.Sqrt(Depth));

    /// <summary>Whether keys after the query are masked.</summary>
    public bool Causal => op.Causal;

    /// <summary>Elements from the mask's start to the row of an entry's and a head's first query.</summary>
    public int MaskStart(int batch, int head) => batch * maskBatch + head * maskHead;

    /// <summary>Elements from a query's mask to the next one's.</summary>
    public int MaskQuery => maskQuery;

    /// <summary>The first arguments of kernels that read q, k and v in place.</summary>
    public GpuArguments Tensors() => new GpuArguments().View("q", Q).View("k", K).View("v", V).View("mask", Mask).View("y", y)
        .Int("queries", Queries).Int("keys", Keys).Int("depth", Depth).Int("valueDepth", ValueDepth);

    /// <summary>The row pitches.</summary>
    public GpuArguments Pitches(GpuArguments arguments) =>
        arguments.Int("qPitch", Q.RowPitch).Int("kPitch", K.RowPitch).Int("vPitch", V.RowPitch).Int("yPitch", y.RowPitch);

    /// <summary>The last arguments of all kernels: layout of the mask, causality, scale.</summary>
    public GpuArguments Weighting(GpuArguments arguments) => arguments
        .Int("masked", Mask is null ? 0 : 1).Int("maskBatch", maskBatch).Int("maskHead", maskHead).Int("maskQuery", maskQuery)
        .Int("causal", op.Causal ? 1 : 0).Float("scale", Scale);
}
