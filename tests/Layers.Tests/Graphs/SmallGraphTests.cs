using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>A device, arenas and layers for tests with small graphs, and comparisons of graphs before and after passes.</summary>
public abstract class SmallGraphTests : IDisposable
{
    protected SmallGraphTests(int threads = 2)
    {
        Device = new CpuDevice(threads);
        Arenas = new ArenaPool(Device);
    }

    /// <summary>Memory of weights, freed after the test.</summary>
    protected List<DeviceBuffer> Weights { get; } = [];

    /// <summary>The device of the graphs.</summary>
    protected CpuDevice Device { get; }

    /// <summary>Their memory.</summary>
    protected ArenaPool Arenas { get; }

    public void Dispose()
    {
        Arenas.Dispose();
        foreach (var buffer in Weights) buffer.Dispose();
        Assert.Equal(0, Device.AllocatedBytes);
        Device.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>An image of any size with 16 channels.</summary>
    protected static Value Image(Graph graph) => graph.Input("image", DType.Float32, Dim.Symbol("n"), Dim.Symbol("h"), Dim.Symbol("h"), 16);

    /// <summary>Sizes for <see cref="Image"/>.</summary>
    protected static Sizes Sizes(int n, int h) => new(("n", n), ("h", h));

    /// <summary>Checks a single pass, by the name of its option.</summary>
    protected void Check(string pass, Func<Graph, Value> body, string before, string after)
    {
        var options = CompileOptions.Eager with { };
        typeof(CompileOptions).GetProperty(pass)!.SetValue(options, true);
        Assert.Equal($"{pass}Pass", Assert.Single(GraphPasses.Of(options)).GetType().Name);
        Check(options, body, before, after, null);
    }

    /// <summary>Compares graphs as text, plans as lists of ops, and all outputs bit by bit at two sizes.</summary>
    protected void Check(CompileOptions options, Func<Graph, Value> body, string before, string? after, string? steps)
    {
        var graph = Graph.Trace("test", g => g.Output("y", body(g)));
        CompiledGraph eager = new(graph, Arenas, CompileOptions.Eager), compiled = new(graph, Arenas, options);
        Assert.Equal(before, Text(eager.Graph));
        Assert.Equal(after ?? before, Text(compiled.Graph));
        foreach (var sizes in new[] { Sizes(1, 2), Sizes(3, 5) })
        {
            if (steps is not null) Assert.Equal(steps, string.Join(" | ", compiled.Report(sizes).Steps.Select(s => s.Op)));
            using Plan expected = eager.Rent(sizes), actual = compiled.Rent(sizes);
            foreach (string name in graph.Inputs.Keys)
            {
                Fill(expected.Input(name), name.Length);
                Fill(actual.Input(name), name.Length);
            }

            for (int run = 0; run < 2; run++)
            {
                expected.Run();
                actual.Run();
                foreach (string name in graph.Outputs.Keys)
                    Assert.Equal(expected.Output(name).Span<float>().ToArray(), actual.Output(name).Span<float>().ToArray());
            }
        }
    }

    /// <summary>The needed ops in order, with inputs by name and results by their index among the ops.</summary>
    private static string Text(Graph graph)
    {
        Node[] nodes = [.. graph.NeededBy(graph.Outputs.Values)];
        string Of(Value value) =>
            value.Parameter?.Path ?? (value.Producer is { } p ? $"{Array.IndexOf(nodes, p)}"
                : graph.Inputs.Single(i => i.Value == value).Key);
        return string.Join(" | ", nodes.Select(n => $"{n.Label}({string.Join(", ", n.Inputs.Select(Of))})"));
    }

    /// <summary>
    /// Eighths between −2 and 2: sums of their products are exact in any order, so that passes that change the order change no bit.
    /// </summary>
    protected static void Fill(Tensor tensor, int seed)
    {
        var random = new Random(seed);
        foreach (ref float value in tensor.Span<float>()) value = random.Next(-16, 17) / 8f;
    }

    /// <summary>A layer with its own weights, freed after the test.</summary>
    protected T Loaded<T>(T layer) where T : Layer
    {
        foreach (var parameter in layer.Parameters)
        {
            Weights.Add(Device.Allocate(parameter.Type.Bytes));
            var tensor = new Tensor(Weights[^1], 0, DType.Float32, parameter.Shape);
            Fill(tensor, Weights.Count);
            parameter.Load(tensor);
        }

        return layer;
    }
}
