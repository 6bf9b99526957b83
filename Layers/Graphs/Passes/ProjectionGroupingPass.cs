using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Groups plain matrix multiplications of one argument into one op with one wide result, of which each user takes its columns: query, key
/// and value for one attention, and multiplications of a single row per entry, such as the time projections of all blocks. Those with
/// dynamic int8 are grouped likewise, and quantise their argument once.
/// </summary>
internal sealed class ProjectionGroupingPass : IGraphPass
{
    public Graph Run(Graph graph)
    {
        var rewriter = new GraphRewriter(graph);
        var groups = Groups(graph).ToDictionary(group => group[0]);
        var done = new HashSet<Node>();
        return rewriter.Run(node =>
        {
            if (done.Contains(node)) return rewriter[node.Output];
            if (!groups.TryGetValue(node, out var group)) return null;

            // Recorded in the place of the first of them: they share its argument, and weights exist from the start.
            Op grouped = node.Op is QuantizedMatMul ? new GroupedQuantizedMatMul(group.Length) : new GroupedMatMul(group.Length);
            var wide = rewriter.Add(node, grouped,
                [node.Inputs[0], .. Enumerable.Range(1, node.Inputs.Length - 1).SelectMany(i => group.Select(n => n.Inputs[i]))]);
            int column = 0;
            foreach (var member in group)
            {
                int width = member.Output.Type.Last.Constant!.Value;
                rewriter.Map(member.Output, rewriter.AddOver(member, new Slice(-1, column, width), wide));
                done.Add(member);
                column += width;
            }

            return rewriter[node.Output];
        });
    }

    private static IEnumerable<Node[]> Groups(Graph graph)
    {
        Node[] live = [.. graph.NeededBy(graph.Outputs.Values)];
        var reader = new Dictionary<Value, Node>(); // of values read by attention only
        foreach (var node in live)
            foreach (var input in node.Inputs)
                if (node.Op is ScaledDotProductAttention) reader.TryAdd(input, node);

        return live.Where(IsPlain)
            .Where(node => reader.ContainsKey(node.Output) || HasOneRowPerEntry(node.Output.Type))
            .GroupBy(node => (node.Inputs[0], reader.GetValueOrDefault(node.Output), node.Inputs.Length, node.Op.GetType()))
            .Where(group => group.Count() > 1)
            .Select(group => group.ToArray());
    }

    private static bool IsPlain(Node node) =>
        node.Op is MatMul { Epilogue.IsNone: true } or QuantizedMatMul { Epilogue.IsNone: true }
            && node.Inputs[1].Parameter is not null && node.Output.Type.Last.Constant is not null;

    private static bool HasOneRowPerEntry(TensorType type) =>
        type.Rank > 2 && type.Shape.Skip(1).Take(type.Rank - 2).All(d => d.Constant == 1);
}
