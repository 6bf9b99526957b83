using System.Diagnostics;
using System.Globalization;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A region after the passes, which can replace every call with its signature.</summary>
internal sealed class CompiledBlock
{
    private const string Result = "result";
    private readonly Region region; // the call it was compiled from
    private readonly Graph graph;
    private readonly Dictionary<Parameter, int> weights;
    private readonly Node[] nodes; // needed by the result or a named value

    private CompiledBlock(Region region, Graph graph, double seconds)
    {
        (this.region, this.graph, Seconds) = (region, graph, seconds);
        weights = region.Weights.Select((weight, i) => (weight, i)).ToDictionary(pair => pair.weight, pair => pair.i);
        nodes = [.. graph.NeededBy([graph.Outputs[Result], .. graph.Named.Values])];
        Ops = graph.NeededBy(graph.Outputs.Values).Count();
        IsShareable = nodes.SelectMany(node => node.Inputs).All(input => input.Parameter is not { } weight || weights.ContainsKey(weight));
    }

    /// <summary>Ops after the passes.</summary>
    public int Ops { get; }

    /// <summary>Time of the passes.</summary>
    public double Seconds { get; }

    /// <summary>Whether it can be used with other weights: false if a pass created weights.</summary>
    public bool IsShareable { get; }

    /// <summary>Compiles a region.</summary>
    public static CompiledBlock Compile(Graph source, Region region, CompileOptions options)
    {
        long start = Stopwatch.GetTimestamp();
        var call = region.Call;
        var copy = new GraphCopy(new Graph(call.Path));
        for (int i = 0; i < region.Arguments.Length; i++)
            copy[region.Arguments[i]] = copy.Target.Input(Number(i), region.Arguments[i].Type, region.Arguments[i].IsLoopInvariant);
        for (int i = call.First; i < call.End; i++)
        {
            copy.Add(source.Nodes[i]);
            copy.Target.Label(Number(i - call.First), copy[source.Nodes[i].Output]); // any of them may have a name that a dump requests
        }

        copy.Target.Output(Result, copy[call.Result]);
        var graph = GraphPasses.Run(copy.Target, options);
        return new CompiledBlock(region, graph, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>Records the block's ops with the weights and names of one of its calls.</summary>
    /// <param name="target">The graph to record in.</param>
    /// <param name="at">The call.</param>
    /// <param name="arguments">Arguments of the call.</param>
    /// <param name="names">Names of values inside the call, with the positions of the ops that compute them.</param>
    /// <returns>The result.</returns>
    public Value Inline(Graph target, Region at, IReadOnlyList<Value> arguments, IEnumerable<(string Name, int Place)> names)
    {
        var copies = new Dictionary<Value, Value>();
        for (int i = 0; i < arguments.Count; i++) copies[graph.Inputs[Number(i)]] = arguments[i];
        Value Of(Value value) => value.Parameter is { } weight ? target.Use(at.Weights[weights[weight]]) : copies[value];
        foreach (var node in nodes)
        {
            Value[] inputs = [.. node.Inputs.Select(Of)];
            copies[node.Output] = target.At(PathOf(node, at), () => target.Add(node.Op, node.Output.Type, inputs));
        }

        foreach (var (name, place) in names) target.Label(name, Of(graph.Named[Number(place)]));
        return Of(graph.Outputs[Result]);
    }

    private string PathOf(Node node, Region at) =>
        node.Path.StartsWith(region.Call.Path, StringComparison.Ordinal) ? at.Call.Path + node.Path[region.Call.Path.Length..] : node.Path;

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
