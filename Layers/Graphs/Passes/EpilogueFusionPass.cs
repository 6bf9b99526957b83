using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Sums, activations and factors that follow a product or convolution, and that nothing else looks into, become its <see cref="Epilogue"/>:
/// y = f(z + e) · scale + r, in this order. Bits do not change, but for sums whose sides are exchanged, which does not change them either.
/// </summary>
internal sealed class EpilogueFusionPass : IGraphPass
{
    public Graph Run(Graph graph)
    {
        // A step per run: the first fuses one op into each product, the next the one after it, until nothing changes.
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
                return Fuse(rewriter, node.Inputs[0], null, e => e is { Activation: null, Scale: null, Residual: false } ? e with { Activation = f } : null);
            case Affine { Offset: 0, Scale: var scale }:
                return Fuse(rewriter, node.Inputs[0], null, e => e is { Scale: null, Residual: false } ? e with { Scale = scale } : null);
            case Binary { Function: BinaryFunction.Add }:
                Value a = node.Inputs[0], b = node.Inputs[1];
                if (Epilogue.IsBatchBias(b.Type, a.Type) && Fuse(rewriter, a, b, e => e.IsNone ? e with { BatchBias = true } : null) is { } entry) return entry;
                if (!a.Type.Equals(b.Type) || a == b) return null;
                // Either side may be the product. The later one, so that the other is complete by then whatever it is.
                var (late, early) = a.Index > b.Index ? (a, b) : (b, a);
                return Fuse(rewriter, late, early, AddResidual) ?? Fuse(rewriter, early, late, AddResidual);
            default:
                return null;
        }
    }

    private static Epilogue? AddResidual(Epilogue e) => e.Residual ? null : e with { Residual = true };

    /// <summary>The product that computes a value, with more in its epilogue; recorded where the fused op stood, because all its arguments exist there.</summary>
    private static Value? Fuse(GraphRewriter rewriter, Value product, Value? argument, Func<Epilogue, Epilogue?> extend)
    {
        if (rewriter.OnlyUse(product) is not { } node) return null;
        if (node.Op is not IHasEpilogue op || extend(op.Epilogue) is not { } epilogue) return null;
        var fused = op.With(epilogue);
        return argument is null ? rewriter.Add(node, fused, node.Inputs.AsSpan()) : rewriter.Add(node, fused, [.. node.Inputs, argument]);
    }
}
