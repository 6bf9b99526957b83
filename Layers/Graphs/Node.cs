using System.Collections.Immutable;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>One op in a graph.</summary>
/// <param name="op">What to compute.</param>
/// <param name="inputs">Its arguments, in the op's order.</param>
/// <param name="path">Path of the layer that recorded it.</param>
public sealed class Node(Op op, ImmutableArray<Value> inputs, string path)
{
    /// <summary>What to compute.</summary>
    public Op Op => op;

    /// <summary>Its arguments, in the op's order.</summary>
    public ImmutableArray<Value> Inputs => inputs;

    /// <summary>Path of the layer that recorded it.</summary>
    public string Path => path;

    /// <summary>Its result.</summary>
    public Value Output { get; internal set; } = null!;

    /// <summary>The op's name, with the ops fused into it.</summary>
    internal string Label => op.Label;

    /// <inheritdoc/>
    public override string ToString() =>
        $"%{Output.Index} = {Label}({string.Join(", ", inputs.Select(i => i.Parameter?.Path ?? $"%{i.Index}"))})  # {path}";
}
