using System.Collections.Immutable;
using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Layers;

/// <summary>
/// What a model computes: ops in the order in which its layers recorded them. Sizes that the user chooses are symbols, so one graph
/// serves every picture size and batch. Made by <see cref="Trace"/>.
/// </summary>
public sealed class Graph
{
    private readonly List<Node> nodes = [];
    private readonly Dictionary<string, Value> inputs = [], outputs = [], named = [];
    private readonly Dictionary<Parameter, Value> parameters = [];
    private readonly Stack<string> layers = new([""]);
    private int valueCount;

    internal Graph(string name) => Name = name;

    /// <summary>What the graph computes, for logs and messages: <c>unet</c>, <c>vae.decode</c> …</summary>
    public string Name { get; }

    /// <summary>The ops, each after those that it needs.</summary>
    public IReadOnlyList<Node> Nodes => nodes;

    /// <summary>Values that the caller provides.</summary>
    public IReadOnlyDictionary<string, Value> Inputs => inputs;

    /// <summary>Values that the caller reads.</summary>
    public IReadOnlyDictionary<string, Value> Outputs => outputs;

    /// <summary>The result of every layer by the layer's path; a second call of the same layer is <c>path@2</c>.</summary>
    public IReadOnlyDictionary<string, Value> Named => named;

    /// <summary>How many values there are.</summary>
    public int ValueCount => valueCount;

    /// <summary>Records what <paramref name="body"/> computes.</summary>
    public static Graph Trace(string name, Action<Graph> body)
    {
        var graph = new Graph(name);
        body(graph);
        return graph.outputs.Count > 0 ? graph : throw new InvalidOperationException($"{name}: the graph has no output.");
    }

    /// <summary>Declares a value that the caller provides. Sizes may be symbols.</summary>
    public Value Input(string name, DType dtype, params ReadOnlySpan<Dim> shape) => Input(name, new TensorType(dtype, [.. shape]), steady: false);

    /// <summary>Declares a value that the caller provides once for many runs, such as a prompt's embeddings: what depends on nothing else can be computed once (<see cref="Plan.Input"/>).</summary>
    public Value SteadyInput(string name, DType dtype, params ReadOnlySpan<Dim> shape) => Input(name, new TensorType(dtype, [.. shape]), steady: true);

    internal Value Input(string name, TensorType type, bool steady)
    {
        var value = new Value(this, type, valueCount++) { IsSteady = steady };
        inputs.Add(name, value);
        return value;
    }

    /// <summary>Declares a value that the caller reads.</summary>
    public void Output(string name, Value value) => outputs.Add(name, value);

    /// <summary>The value that stands for a weight; the same one each time.</summary>
    public Value Use(Parameter parameter)
    {
        if (!parameters.TryGetValue(parameter, out var value))
            parameters.Add(parameter, value = new Value(this, parameter.Type, valueCount++) { Parameter = parameter, IsSteady = true });
        return value;
    }

    /// <summary>Records an op.</summary>
    /// <exception cref="ShapeException">The arguments do not fit; the message names the layer.</exception>
    public Value Add(Op op, params ReadOnlySpan<Value> arguments)
    {
        var types = new TensorType[arguments.Length];
        for (int i = 0; i < types.Length; i++) types[i] = arguments[i].Type;
        TensorType type;
        try
        {
            type = op.Infer(types);
        }
        catch (ShapeException e)
        {
            throw new ShapeException($"{Name} {layers.Peek()}: {e.Message}");
        }

        return Add(op, type, arguments);
    }

    /// <summary>Records an op whose result's type is known.</summary>
    internal Value Add(Op op, TensorType type, ReadOnlySpan<Value> arguments)
    {
        var node = new Node(op, [.. arguments], layers.Peek());
        node.Output = new Value(this, type, valueCount++) { Producer = node, IsSteady = node.Inputs.All(i => i.IsSteady) };
        nodes.Add(node);
        return node.Output;
    }

    /// <summary>Records what one layer computes and names its result by the layer's path.</summary>
    internal Value InLayer(string path, Func<Value> body)
    {
        var value = At(path, body);
        Label(path, value);
        return value;
    }

    /// <summary>Names a value, so that it can be dumped.</summary>
    internal void Label(string path, Value value)
    {
        string name = path;
        for (int call = 2; !named.TryAdd(name, value); call++) name = $"{path}@{call}";
    }

    /// <summary>The ops that some values need, in order.</summary>
    internal IEnumerable<Node> NeededBy(IEnumerable<Value> results)
    {
        var needed = new HashSet<Node>();
        var open = new Stack<Value>(results);
        while (open.TryPop(out var value))
        {
            if (value.Producer is not { } node || !needed.Add(node)) continue;
            foreach (var input in node.Inputs) open.Push(input);
        }

        return nodes.Where(needed.Contains);
    }

    /// <summary>Sets the path that the next ops are recorded under.</summary>
    internal Value At(string path, Func<Value> body)
    {
        layers.Push(path);
        var value = body();
        layers.Pop();
        return value;
    }

    /// <summary>The ops that the outputs need, one a line.</summary>
    public override string ToString() => string.Join(Environment.NewLine, NeededBy(outputs.Values));
}
