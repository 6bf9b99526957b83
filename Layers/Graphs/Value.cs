using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// A traced value: a graph's input, a layer's weight, or an op's result. It has a type but no memory, which plans assign.
/// </summary>
public sealed class Value
{
    internal Value(Graph graph, TensorType type, int index) => (Graph, Type, Index) = (graph, type, index);

    /// <summary>The graph of this value.</summary>
    public Graph Graph { get; }

    /// <summary>Element type and sizes; sizes that the user chooses are symbols.</summary>
    public TensorType Type { get; }

    /// <summary>Index in the graph.</summary>
    public int Index { get; }

    /// <summary>The op that computes it; null for inputs and weights.</summary>
    public Node? Producer { get; internal init; }

    /// <summary>Its weight, if it is one.</summary>
    public Parameter? Parameter { get; internal init; }

    /// <summary>Whether it depends on weights and loop-invariant inputs only.</summary>
    public bool IsLoopInvariant { get; internal init; }

    /// <summary>Sum, the right side broadcast.</summary>
    public static Value operator +(Value left, Value right) => Functional.Add(left, right);

    /// <summary>Difference, the right side broadcast.</summary>
    public static Value operator -(Value left, Value right) => Functional.Subtract(left, right);

    /// <summary>Element-wise product, the right side broadcast.</summary>
    public static Value operator *(Value left, Value right) => Functional.Multiply(left, right);

    /// <summary>Every element times a number.</summary>
    public static Value operator *(Value left, double right) => Functional.Scale(left, right);

    /// <inheritdoc/>
    public override string ToString() => $"%{Index}: {Type}";
}
