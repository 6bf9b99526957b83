using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Finds values that need no memory of their own because they are part of another: values that are only concatenated are written into the
/// result, and slices are read in place. Both along the innermost dimension (columns) and the outermost one (rows).
/// </summary>
internal sealed class ViewPlacement
{
    private readonly Dictionary<Value, (Value Whole, int Row, int Column)> parts = [];
    private readonly HashSet<Node> free = [];

    /// <summary>Computes the views of a plan.</summary>
    /// <param name="nodes">The ops in order.</param>
    /// <param name="types">Types at the plan's sizes.</param>
    /// <param name="contiguous">Values read by callers, which keep memory of their own.</param>
    public ViewPlacement(IReadOnlyList<Node> nodes, IReadOnlyDictionary<Value, TensorType> types, IReadOnlySet<Value> contiguous)
    {
        // Concatenations, last first: a result that is itself part of a later one is placed before its parts.
        for (int i = nodes.Count - 1; i >= 0; i--)
            if (nodes[i].Op is Concat concat) Join(nodes[i], concat.Axis, types, contiguous);

        foreach (var node in nodes)
        {
            if (parts.ContainsKey(node.Output) || contiguous.Contains(node.Output) || node.Inputs[0].Parameter is not null
                || Range(node, types) is not { } range) continue;
            parts[node.Output] = (node.Inputs[0], range.Row, range.Column);
            free.Add(node);
        }
    }

    /// <summary>Whether an op needs no launch.</summary>
    public bool IsFree(Node node) => free.Contains(node);

    /// <summary>The value that owns a value's memory, with the row and column of its start; itself if it owns its memory.</summary>
    public (Value Root, int Row, int Column) Find(Value value)
    {
        int row = 0, column = 0;
        while (parts.TryGetValue(value, out var part)) (value, row, column) = (part.Whole, row + part.Row, column + part.Column);
        return (value, row, column);
    }

    /// <summary>Whether a value owns its memory.</summary>
    public bool HasOwnMemory(Value value) => !parts.ContainsKey(value);

    private void Join(Node node, int axis, IReadOnlyDictionary<Value, TensorType> types, IReadOnlySet<Value> contiguous)
    {
        int rank = types[node.Output].Rank;
        bool columns = axis == -1 || axis == rank - 1;
        if (!columns && axis != 0) return;
        int at = 0, joined = 0;
        foreach (var input in node.Inputs)
        {
            bool canMove = input.Producer is not null && !contiguous.Contains(input) && !parts.ContainsKey(input)
                && node.Inputs.Count(i => i == input) == 1;
            if (canMove)
            {
                parts[input] = columns ? (node.Output, 0, at) : (node.Output, at, 0);
                joined++;
            }

            Shape shape = (input.Parameter?.Type ?? types[input]).Concrete();
            at += columns ? shape.Last : shape.Rows;
        }

        if (joined == node.Inputs.Length) free.Add(node);
    }

    /// <summary>Row and column at which a slicing op's result begins in its argument; null if the result is not one rectangle.</summary>
    private static (int Row, int Column)? Range(Node node, IReadOnlyDictionary<Value, TensorType> types)
    {
        Shape part = types[node.Output].Concrete();
        (int axis, int start) = node.Op switch
        {
            Slice slice => (slice.Axis, slice.Start),
            Chunk chunk => (chunk.Axis, chunk.Index * part[chunk.Axis < 0 ? chunk.Axis + part.Rank : chunk.Axis]),
            _ => (int.MaxValue, 0),
        };
        if (axis < 0) axis += part.Rank;
        return axis == part.Rank - 1 ? (0, start) : axis == 0 ? (start * (part.Rows / part[0]), 0) : null;
    }
}
