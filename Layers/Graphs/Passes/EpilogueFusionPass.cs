using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Fuses sums, activations and factors that follow a GEMM or convolution, and are the only use of its result, into its
/// <see cref="Epilogue"/>: y = f(z + e) · scale + r, in this order. Bits do not change; exchanging the sides of a sum does not change them
/// either.
/// </summary>
internal sealed class EpilogueFusionPass : IGraphPass
{
    public Graph Run(Graph graph)
    {
        // One op per run: the first run fuses one op into each GEMM, the next the one after it, until nothing changes.
        for (; ; )
        {
            bool changed = false;
            var rewriter = new GraphRewriter(graph);
            var next = rewriter.Run(node =>
            {
                var fused = Fuse(rewriter, node);
                changed |= fused is not null;
                return fused;
            });
            if (!changed) return graph;
            graph = next;
        }
    }

    private static Value? Fuse(GraphRewriter rewriter, Node node)
    {
        switch (node.Op)
        {
            case Unary { Function: var f } when Epilogue.Supports(f):
                return Fuse(rewriter, node.Inputs[0], null,
                    e => e is { Activation: null, Scale: null, Residual: false } ? e with { Activation = f } : null);
            case Affine { Offset: 0, Scale: var scale }:
                return Fuse(rewriter, node.Inputs[0], null, e => e is { Scale: null, Residual: false } ? e with { Scale = scale } : null);
            case Binary { Function: BinaryFunction.Add }:
                Value a = node.Inputs[0], b = node.Inputs[1];
                if (Epilogue.IsBatchBias(b.Type, a.Type)
                    && Fuse(rewriter, a, b, e => e.IsNone ? e with { BatchBias = true } : null) is { } entry) return entry;
                if (!a.Type.Equals(b.Type) || a == b) return null;
                // Either side may be the GEMM. The later one is taken, so that the other side is always computed before it.
                var (late, early) = a.Index > b.Index ? (a, b) : (b, a);
                return Fuse(rewriter, late, early, AddResidual) ?? Fuse(rewriter, early, late, AddResidual);
            default:
                return null;
        }
    }

    private static Epilogue? AddResidual(Epilogue e) => e.Residual ? null : e with { Residual = true };

    /// <summary>
    /// The GEMM of a value, with a larger epilogue; recorded in the place of the fused op, where all of its arguments exist.
    /// </summary>
    private static Value? Fuse(GraphRewriter rewriter, Value gemm, Value? argument, Func<Epilogue, Epilogue?> extend)
    {
        if (rewriter.OnlyUse(gemm) is not { } node) return null;
        if (node.Op is not IHasEpilogue op || extend(op.Epilogue) is not { } epilogue) return null;
        var fused = op.With(epilogue);
        return argument is null ? rewriter.Add(node, fused, node.Inputs.AsSpan()) : rewriter.Add(node, fused, [.. node.Inputs, argument]);
    }
}
