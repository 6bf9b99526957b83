namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>
/// Sizes or element types that an op does not support. The message reads "op: name is X; it must be Y."; the properties give the same to
/// programs.
/// </summary>
public sealed class ShapeException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The op's name in logs, such as <c>matmul</c>; null if no op is involved.</summary>
    public string? Op { get; init; }

    /// <summary>The wrong argument or attribute of the op, such as <c>weight</c>; null if none is involved.</summary>
    public string? Argument { get; init; }

    /// <summary>The path of the layer that computes the op, such as <c>down_blocks.0.resnets.1</c>; null outside a graph.</summary>
    public string? Layer { get; init; }

    /// <summary>Throws unless the condition holds.</summary>
    /// <param name="condition">What must be true.</param>
    /// <param name="op">The op's name in logs.</param>
    /// <param name="name">The wrong argument.</param>
    /// <param name="found">Its value or shape.</param>
    /// <param name="expected">The requirement.</param>
    public static void ThrowUnless(bool condition, string op, string name, object found, string expected)
    {
        if (!condition) throw new ShapeException($"{op}: {name} is {found}; it must be {expected}.") { Op = op, Argument = name };
    }

    /// <summary>The same exception with the layer's path, which the message then starts with.</summary>
    /// <param name="layer">The layer's path.</param>
    /// <param name="graph">The graph's name for the message; null leaves it out.</param>
    public ShapeException In(string layer, string? graph = null) =>
        new($"{(graph is null ? "" : $"{graph} ")}{layer}: {Message}", this) { Op = Op, Argument = Argument, Layer = layer };
}
