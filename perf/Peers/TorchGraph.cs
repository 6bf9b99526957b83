using System.Diagnostics;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Measuring;
using static TorchSharp.torch;
using HostTensor = ILGpuDiffusion.Compute.Tensors.Tensor;
using Tensor = TorchSharp.torch.Tensor;

namespace ILGpuDiffusion.Peers;

/// <summary>
/// A graph as its layers recorded it, run by libtorch op by op with the same weights in float32: what eager PyTorch does with the same
/// model, without Python's share. Values are freed after their last use, as reference counting would.
/// </summary>
internal sealed class TorchGraph : IDisposable
{
    private readonly Graph graph;
    private readonly bool channelsLast;
    private readonly Dictionary<Value, Tensor> weights = [];
    private readonly Dictionary<Value, int> lastUse = [];

    /// <summary>Copies the weights.</summary>
    /// <param name="graph">The graph; its weights must be loaded.</param>
    /// <param name="channelsLast">Whether images and kernels have their channels innermost in memory.</param>
    public TorchGraph(Graph graph, bool channelsLast)
    {
        (this.graph, this.channelsLast) = (graph, channelsLast);
        for (int i = 0; i < graph.Nodes.Count; i++)
            foreach (var input in graph.Nodes[i].Inputs) lastUse[input] = i;
        foreach (var value in lastUse.Keys.Where(v => v.Parameter is not null))
        {
            weights.Add(value, TorchTensors.Widened(value.Parameter!.Tensor, channelsLast));
            ProcessMemory.Forget(value.Parameter.Tensor); // the mapped file must not count as this engine's memory
        }
    }

    /// <summary>Inputs as <see cref="Model.Fill"/> makes them.</summary>
    public Dictionary<Value, Tensor> Inputs(Sizes sizes)
    {
        var inputs = new Dictionary<Value, Tensor>();
        var memory = new Dictionary<string, (DeviceBuffer Buffer, HostTensor Tensor)>();
        using var device = new CpuDevice(1);
        foreach (var (name, value) in graph.Inputs)
        {
            var type = value.Type.Resolve(sizes);
            var buffer = device.Allocate(type.Bytes);
            memory.Add(name, (buffer, new HostTensor(buffer, 0, type.DType, type.Concrete())));
        }

        Model.Fill(graph, name => memory[name].Tensor);
        foreach (var (name, value) in graph.Inputs)
        {
            var host = memory[name].Tensor;
            inputs.Add(value, host.DType == DType.Float32
                ? TorchTensors.Activation(host.Span<float>(), host.Shape, channelsLast)
                : tensor([.. host.Span<int>().ToArray().Select(i => (long)i)]).view([.. host.Shape.Sizes.ToArray().Select(s => (long)s)]));
            memory[name].Buffer.Dispose();
        }

        return inputs;
    }

    /// <summary>Runs all ops.</summary>
    /// <param name="inputs">From <see cref="Inputs"/>.</param>
    /// <param name="output">Which output to keep.</param>
    /// <param name="seconds">Receives the time by kind of op, if not null.</param>
    public Tensor Run(IReadOnlyDictionary<Value, Tensor> inputs, string output, Dictionary<string, double>? seconds = null)
    {
        var result = graph.Outputs[output];
        var alive = new Dictionary<Value, Tensor>();
        Tensor Find(Value value) => value.Parameter is not null ? weights[value] : value.Producer is null ? inputs[value] : alive[value];
        for (int i = 0; i < graph.Nodes.Count; i++)
        {
            var node = graph.Nodes[i];
            long start = Stopwatch.GetTimestamp();
            alive[node.Output] = TorchOps.Apply(node.Op, [.. node.Inputs.Select(Find)]);
            foreach (var input in node.Inputs)
                if (lastUse[input] == i && input != result && alive.Remove(input, out var dead)) dead.Dispose();
            if (!lastUse.ContainsKey(node.Output) && node.Output != result && alive.Remove(node.Output, out var unused)) unused.Dispose();
            // Our passes turn pointwise convolutions into GEMMs.
            bool pointwise = node.Op is Conv2D conv && conv.IsPointwise(node.Inputs[1].Type);
            string kind = OpKinds.Name(pointwise ? OpKind.MatrixProduct : node.Op.Kind);
            if (seconds is not null) seconds[kind] = seconds.GetValueOrDefault(kind) + Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        return alive[result];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var weight in weights.Values) weight.Dispose();
    }
}
