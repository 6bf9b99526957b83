using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Fuses consecutive activations, scalings, clamps and arithmetic, each the only user of the one before, into one op: a value goes through
/// memory once instead of once per op. Bits do not change. Loop-invariant and other ops are not mixed, so that what can be computed once
/// still is.
/// </summary>
internal sealed class ElementwiseChainsPass : IGraphPass
{
    public Graph Run(Graph graph)
    {
        var rewriter = new GraphRewriter(graph);
        return rewriter.Run(node =>
        {
            if (!ElementwiseStep.Supports(node.Op) || Chain(rewriter, node) is not { Count: > 1 } chain) return null;
            var operands = chain.Where(link => link.Step.HasOperand).Select(link => link.Node.Inputs[link.Step.OperandFirst ? 0 : 1]);
            return rewriter.Add(node, new Elementwise([.. chain.Select(link => link.Step)]), [chain[0].Node.Inputs[0], .. operands]);
        });
    }

    /// <summary>The longest chain that ends with an op, in order.</summary>
    private static List<(Node Node, ElementwiseStep Step)> Chain(GraphRewriter rewriter, Node last)
    {
        var chain = new List<(Node Node, ElementwiseStep Step)>();
        for (Node? node = last; node is not null;)
        {
            Node? before = Before(node.Inputs[0]);
            bool reversed = before is null && node.Op is Binary && node.Inputs[1].Type.Equals(node.Inputs[0].Type)
                && Before(node.Inputs[1]) is not null;
            if (!Elementwise.Fits([.. chain.Select(link => link.Step), new ElementwiseStep(node.Op)])) break;
            chain.Insert(0, (node, new ElementwiseStep(node.Op, reversed)));
            node = reversed ? Before(node.Inputs[1]) : before;
        }

        // If the chain had to be cut, its first op takes both arguments unchanged.
        if (chain[0].Step.OperandFirst) chain[0] = (chain[0].Node, new ElementwiseStep(chain[0].Node.Op));
        return chain;

        Node? Before(Value value) =>
            rewriter.OnlyUse(value) is { } producer && ElementwiseStep.Supports(producer.Op)
                && value.IsLoopInvariant == last.Output.IsLoopInvariant ? producer : null;
    }
}
