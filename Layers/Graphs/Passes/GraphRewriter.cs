using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>Copies a graph op by op and lets a pass replace ops. Inputs, outputs and names are kept.</summary>
internal sealed class GraphRewriter
{
    private readonly Dictionary<Value, Value> copies = [];
    private readonly Dictionary<Value, int> uses = [];
    private readonly HashSet<Node> live;
    private readonly Graph target;

    /// <summary>Prepares the copy of a graph.</summary>
    public GraphRewriter(Graph source)
    {
        Source = source;
        target = new Graph(source.Name);
        live = [.. source.NeededBy(source.Outputs.Values)];
        foreach (var value in live.SelectMany(node => node.Inputs).Concat(source.Outputs.Values))
            uses[value] = uses.GetValueOrDefault(value) + 1;
        foreach (var (name, input) in source.Inputs) copies[input] = target.Input(name, input.Type, input.IsLoopInvariant);
    }

    /// <summary>The original graph.</summary>
    public Graph Source { get; }

    /// <summary>Makes the copy.</summary>
    /// <param name="replace">For an op that is needed, returns the replacement of its result in the new graph, or null to copy the
    /// op.</param>
    /// <param name="keep">The ops to keep; null for all. Must be closed under dependencies.</param>
    public Graph Run(Func<Node, Value?> replace, Func<Node, bool>? keep = null)
    {
        foreach (var node in Source.Nodes.Where(keep ?? (_ => true)))
            copies[node.Output] = (live.Contains(node) ? replace(node) : null) ?? Copy(node);
        foreach (var (name, output) in Source.Outputs) target.Output(name, this[output]);
        foreach (var (path, value) in Source.Named) target.Label(path, this[value]);
        return target;
    }

    /// <summary>The value in the new graph for one of the old graph.</summary>
    public Value this[Value old] => old.Parameter is { } parameter ? target.Use(parameter) : copies[old];

    /// <summary>The op that computes a value if the value has a single use; else null.</summary>
    public Node? OnlyUse(Value old) => uses.GetValueOrDefault(old) == 1 ? old.Producer : null;

    /// <summary>Copies a node unchanged.</summary>
    public Value Copy(Node node)
    {
        Value[] arguments = [.. node.Inputs.Select(i => this[i])];
        return target.At(node.Path, () => target.Add(node.Op, node.Output.Type, arguments));
    }

    /// <summary>Records an op in the place of a node.</summary>
    /// <param name="at">The node whose layer it belongs to.</param>
    /// <param name="op">The op.</param>
    /// <param name="arguments">Its arguments, as values of the old graph.</param>
    public Value Add(Node at, Op op, params ReadOnlySpan<Value> arguments)
    {
        Value[] mapped = new Value[arguments.Length];
        for (int i = 0; i < mapped.Length; i++) mapped[i] = this[arguments[i]];
        return target.At(at.Path, () => target.Add(op, mapped));
    }

    /// <summary>Records an op over values of the new graph.</summary>
    public Value AddOver(Node at, Op op, params Value[] arguments) => target.At(at.Path, () => target.Add(op, arguments));

    /// <summary>The value of a weight or constant in the new graph.</summary>
    public Value Use(Parameter parameter) => target.Use(parameter);

    /// <summary>Sets the replacement of a value before its producer is reached.</summary>
    public void Map(Value old, Value copy) => copies[old] = copy;
}
