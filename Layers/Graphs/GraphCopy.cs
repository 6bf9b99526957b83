using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>Copies ops from one or several graphs into another.</summary>
/// <param name="target">The graph that the copies go to.</param>
internal sealed class GraphCopy(Graph target)
{
    private readonly Dictionary<Value, Value> copies = [];

    /// <summary>The graph that the copies go to.</summary>
    public Graph Target => target;

    /// <summary>The copy of a value in the target; weights are mapped to themselves.</summary>
    public Value this[Value old]
    {
        get => old.Parameter is { } parameter ? target.Use(parameter) : copies[old];
        set => copies[old] = value;
    }

    /// <summary>Whether a value has a copy; a weight always has.</summary>
    public bool Has(Value old) => old.Parameter is not null || copies.ContainsKey(old);

    /// <summary>Copies a graph's inputs.</summary>
    public void Inputs(Graph source, Func<TensorType, TensorType>? type = null)
    {
        foreach (var (name, input) in source.Inputs) this[input] =
            target.Input(name, type is null ? input.Type : type(input.Type), input.IsLoopInvariant);
    }

    /// <summary>Copies an op together with its result's type.</summary>
    public void Add(Node node) => Record(node, node.Path, arguments => target.Add(node.Op, node.Output.Type, arguments));

    /// <summary>Copies an op and infers its result's type from the copied arguments.</summary>
    public void AddInferred(Node node) => Record(node, node.Path, arguments => target.Add(node.Op, arguments));

    /// <summary>Copies the names of all copied values.</summary>
    public void Names(Graph source)
    {
        foreach (var (name, value) in source.Named)
            if (Has(value)) target.Label(name, this[value]);
    }

    /// <summary>Copies a graph's outputs.</summary>
    public void Outputs(Graph source)
    {
        foreach (var (name, value) in source.Outputs) target.Output(name, this[value]);
    }

    /// <summary>Copies the calls of layers whose ops are consecutive in the target too.</summary>
    /// <param name="source">The graph of the calls.</param>
    /// <param name="from">Index of the first copied op.</param>
    /// <param name="to">Index after the last one.</param>
    public void Calls(Graph source, int from, int to)
    {
        foreach (var call in source.Calls)
            if (call.First >= from && call.End <= to && Has(call.Result))
                target.Called(call with { First = call.First - from, Result = this[call.Result] });
    }

    private void Record(Node node, string path, Func<Value[], Value> add)
    {
        Value[] arguments = [.. node.Inputs.Select(i => this[i])];
        this[node.Output] = target.At(path, () => add(arguments));
    }
}
