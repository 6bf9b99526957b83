using System.Collections.Immutable;
using System.Diagnostics;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// A traced computation: ops in the order in which layers recorded them. Sizes that the user chooses are symbols, so one graph is valid for
/// every image size and batch. Made by <see cref="Trace(string, Action{Graph})"/>.
/// </summary>
public sealed class Graph
{
    private readonly List<Node> nodes = [];
    private readonly Dictionary<string, Value> inputs = [], outputs = [], named = [];
    private readonly Dictionary<Parameter, Value> parameters = [];
    private readonly List<LayerCall> calls = [];
    private readonly Stack<string> layers = new([""]);
    private readonly Stack<Layer> recording = [];
    private int valueCount;

    internal Graph(string name) => Name = name;

    /// <summary>The graph's name in logs and messages: <c>unet</c>, <c>vae.decode</c> …</summary>
    public string Name { get; }

    /// <summary>The ops in topological order.</summary>
    public IReadOnlyList<Node> Nodes => nodes;

    /// <summary>Values that the caller provides.</summary>
    public IReadOnlyDictionary<string, Value> Inputs => inputs;

    /// <summary>Values that the caller reads.</summary>
    public IReadOnlyDictionary<string, Value> Outputs => outputs;

    /// <summary>The result of every layer by the layer's path; a second call of the same layer is <c>path@2</c>.</summary>
    public IReadOnlyDictionary<string, Value> Named => named;

    /// <summary>Time that recording took.</summary>
    public TimeSpan TraceTime { get; private set; }

    /// <summary>The calls of layers while tracing, inner ones before outer ones; empty for graphs made by passes.</summary>
    internal IReadOnlyList<LayerCall> Calls => calls;

    /// <summary>The values read while tracing, in order, with their answers.</summary>
    internal GraphReads Reads { get; private init; } = new([]);

    /// <summary>The read at which recording stopped for lack of an answer; null for a whole graph.</summary>
    internal GraphBreak? Break { get; private set; }

    /// <summary>
    /// Records what <paramref name="body"/> computes. If it reads a value (<see cref="Functional.Item"/>), recording stops, and is repeated
    /// from the start once the value is known: the body must be deterministic, and declare its inputs before it reads.
    /// </summary>
    public static Graph Trace(string name, Action<Graph> body) => Trace(name, body, []);

    internal static Graph Trace(string name, Action<Graph> body, IReadOnlyList<double> answers)
    {
        long start = Stopwatch.GetTimestamp();
        var graph = new Graph(name) { Reads = new GraphReads(answers) };
        try
        {
            body(graph);
        }
        catch (GraphReads.MissingAnswerException missing) when (missing.Value.Graph == graph)
        {
            graph.Break = new GraphBreak(missing.Value, graph.layers.Peek(), missing.Decide,
                answer => Trace(name, body, [.. answers, answer]));
        }

        graph.TraceTime = Stopwatch.GetElapsedTime(start);
        return graph.outputs.Count > 0 || graph.Break is not null ? graph
            : throw new InvalidOperationException($"{name}: the graph has no output.");
    }

    /// <summary>Declares a value that the caller provides. Sizes may be symbols.</summary>
    public Value Input(string name, DType dtype, params ReadOnlySpan<Dim> shape) =>
        Input(name, new TensorType(dtype, [.. shape]), loopInvariant: false);

    /// <summary>
    /// Declares a value that the caller provides once for many runs, such as a prompt's embeddings: what depends on nothing else can be
    /// computed once (<see cref="Plan.Input"/>).
    /// </summary>
    public Value LoopInvariantInput(string name, DType dtype, params ReadOnlySpan<Dim> shape) =>
        Input(name, new TensorType(dtype, [.. shape]), loopInvariant: true);

    internal Value Input(string name, TensorType type, bool loopInvariant)
    {
        if (Reads.Cuts.Count > 0)
            throw new InvalidOperationException($"{Name}: input '{name}' is declared after a value was read; declare inputs first.");
        var value = new Value(this, type, valueCount++) { IsLoopInvariant = loopInvariant };
        inputs.Add(name, value);
        return value;
    }

    /// <summary>Declares a value that the caller reads.</summary>
    public void Output(string name, Value value) => outputs.Add(name, value);

    /// <summary>The value of a weight; the same one for each call.</summary>
    public Value Use(Parameter parameter)
    {
        if (!parameters.TryGetValue(parameter, out var value))
            parameters.Add(parameter,
                value = new Value(this, parameter.Type, valueCount++) { Parameter = parameter, IsLoopInvariant = true });
        return value;
    }

    /// <summary>A value known while tracing and equal in every run. It gets device memory when a plan is made.</summary>
    /// <param name="name">Name in listings.</param>
    /// <param name="shape">Its sizes.</param>
    /// <param name="values">Its elements, row-major.</param>
    /// <exception cref="ShapeException">The number of elements does not match the shape.</exception>
    public Value Constant(string name, Shape shape, ReadOnlySpan<float> values)
    {
        ShapeException.ThrowUnless(values.Length == shape.Count, Name, name, $"{values.Length} numbers", $"{shape.Count}, for {shape}");
        return Use(new Parameter(name, GraphConstant.Of(shape, values)));
    }

    /// <summary>Records an op.</summary>
    /// <exception cref="ShapeException">The arguments are invalid; the message names the layer.</exception>
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
            throw e.In(layers.Peek(), Name);
        }

        return Add(op, type, arguments);
    }

    /// <summary>Records an op with a known result type.</summary>
    internal Value Add(Op op, TensorType type, ReadOnlySpan<Value> arguments)
    {
        var node = new Node(op, [.. arguments], layers.Peek());
        node.Output = new Value(this, type, valueCount++) { Producer = node, IsLoopInvariant = node.Inputs.All(i => i.IsLoopInvariant) };
        nodes.Add(node);
        return node.Output;
    }

    /// <summary>
    /// Reads a value of one element while tracing; ends the trace if its answer is not known yet. See <see cref="Functional.Item"/>.
    /// </summary>
    /// <param name="value">The value.</param>
    /// <param name="decide">Maps the number to the answer that recording needs; equal answers share the continuation.</param>
    internal double Read(Value value, Func<double, double> decide)
    {
        ShapeException.ThrowUnless(value.Type.Shape.All(d => d.MayEqual(1)), $"{Name} {layers.Peek()}: reading", "value", value.Type,
            "of one element");
        if (value.Type.DType is DType.Float16 or DType.BFloat16) value = Functional.Cast(value, DType.Float32);
        return Reads.Next(value, decide, nodes.Count);
    }

    /// <summary>Records what one layer computes and names its result by the layer's path.</summary>
    internal Value InLayer(Layer layer, Func<Value> body)
    {
        string path = layer.Path;
        int first = nodes.Count;
        recording.Push(layer);
        var value = At(path, body);
        recording.Pop();
        Label(path, value);
        Called(new LayerCall(layer, path, first, nodes.Count - first, value));
        return value;
    }

    /// <summary>How the layer that is being recorded wants attention computed.</summary>
    internal AttentionOptions AttentionOptions => recording.TryPeek(out var layer) ? layer.EffectiveAttention : default;

    /// <summary>Records that some consecutive ops are one call of a layer.</summary>
    internal void Called(LayerCall call) => calls.Add(call);

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

    /// <summary>
    /// A hash of what is computed, as 32 hexadecimal digits: ops with their attributes, element types and sizes. Equal for models that
    /// differ in the values of their weights and constants only.
    /// </summary>
    public string Fingerprint
    {
        get
        {
            var numbers = new Dictionary<Value, int>();
            var text = new System.Text.StringBuilder();
            foreach (var (name, input) in inputs) text.Append(name).Append(' ').Append(Operand(input)).Append('\n');
            foreach (var node in NeededBy(outputs.Values))
                text.Append(node.Op).Append('(').AppendJoin(", ", node.Inputs.Select(Operand)).Append(") ").Append(Operand(node.Output))
                    .Append('\n');
            foreach (var (name, output) in outputs) text.Append(name).Append(' ').Append(Operand(output)).Append('\n');
            byte[] hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text.ToString()));
            return Convert.ToHexStringLower(hash)[..32];

            string Operand(Value value)
            {
                if (!numbers.TryGetValue(value, out int number)) numbers.Add(value, number = numbers.Count);
                return $"%{number} {value.Type} {(value.Parameter is null ? "" : "weight")}";
            }
        }
    }

    /// <summary>The ops that the outputs need, one per line.</summary>
    public override string ToString() => string.Join(Environment.NewLine, NeededBy(outputs.Values));
}
