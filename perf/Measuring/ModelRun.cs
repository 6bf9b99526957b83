using System.Diagnostics;
using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Measuring;

/// <summary>A model that is loaded, planned for one size and has inputs, so that it can be timed.</summary>
public sealed class ModelRun : IDisposable
{
    private readonly ArenaPool arenas;
    private readonly Checkpoint checkpoint;
    private readonly CompiledGraph compiled;
    private readonly QuantizedWeights? quantized;

    /// <summary>Loads, traces and plans, and measures the time of each.</summary>
    /// <param name="folder">A component's folder, with config.json and weights.</param>
    /// <param name="pixels">Height and width of the image.</param>
    /// <param name="batch">Images.</param>
    /// <param name="device">The device.</param>
    /// <param name="int8">Whether linear layers are quantised, which counts as loading.</param>
    /// <param name="options">Graph passes; null for all.</param>
    /// <param name="dtype">Type of the activations, and on a GPU of the weights.</param>
    public ModelRun(string folder, int pixels, int batch, Device device, bool int8 = false, CompileOptions? options = null,
        DType dtype = DType.Float32)
    {
        var clock = Stopwatch.StartNew();
        (Folder, Pixels, Device, arenas) = (folder, pixels, device, new ArenaPool(device));
        Model = Model.Of(ModelConfig.Load(Path.Combine(folder, "config.json")), dtype);
        checkpoint = Checkpoint.OpenFolder(folder);
        Model.Layer.Load(checkpoint);
        if (device is not CpuDevice) Model.Layer.To(dtype);
        Traced = Model.Trace();
        quantized = int8 ? DynamicQuantization.Apply(Model.Layer, device: device as CpuDevice) : null;
        LoadSeconds = Lap(clock);
        compiled = new CompiledGraph(int8 ? Model.Trace() : Traced, arenas, options);
        TraceSeconds = Lap(clock);
        Sizes = Model.SizesFor(pixels, batch);
        Plan = compiled.Rent(Sizes);
        PlanSeconds = Lap(clock);
        Upload();
    }

    /// <summary>The folder of the weights.</summary>
    public string Folder { get; }

    /// <summary>Height and width of the image.</summary>
    public int Pixels { get; }

    /// <summary>The device.</summary>
    public Device Device { get; }

    /// <summary>The layers.</summary>
    public Model Model { get; }

    /// <summary>The graph as the layers recorded it, before any pass and with weights as stored.</summary>
    public Graph Traced { get; }

    /// <summary>The sizes of this run.</summary>
    public Sizes Sizes { get; }

    /// <summary>The plan, its inputs filled.</summary>
    public Plan Plan { get; }

    /// <summary>Time to map the weights, build the layers and compare names and shapes.</summary>
    public double LoadSeconds { get; }

    /// <summary>Time to record the graph and run the passes.</summary>
    public double TraceSeconds { get; }

    /// <summary>Time to choose kernels, place memory and bind.</summary>
    public double PlanSeconds { get; }

    /// <summary>Bytes of the weights as they are used.</summary>
    public long WeightBytes =>
        Model.Layer.Parameters.Sum(p => p.Tensor.Type.Bytes) + (quantized is null ? 0 : quantized.Bytes - quantized.OriginalBytes);

    /// <summary>How many layers were quantised.</summary>
    public int Int8Layers => quantized?.Layers ?? 0;

    /// <summary>What the plan does.</summary>
    public PlanReport Report => compiled.Report(Sizes);

    /// <summary>The output that is compared: the only one, or a text encoder's hidden states.</summary>
    public string OutputName => compiled.Graph.Outputs.Keys.Order(StringComparer.Ordinal).First();

    /// <summary>That output's numbers.</summary>
    public float[] Output()
    {
        var output = Plan.Output(OutputName);
        float[] values = new float[output.Shape.Count];
        Device.Download(output, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>Runs once; returns the seconds of every launch, for <see cref="ByKind"/>.</summary>
    public double[] Profile() => ((GraphPlan)Plan).Profile();

    /// <summary>Seconds by kind of op.</summary>
    public IReadOnlyDictionary<string, double> ByKind(double[] profile) =>
        Report.Steps.Zip(profile).GroupBy(p => OpKinds.Name(p.First.Kind)).ToDictionary(g => g.Key, g => g.Sum(p => p.Second));

    /// <inheritdoc/>
    public void Dispose()
    {
        Plan.Dispose();
        quantized?.Dispose();
        arenas.Dispose();
        checkpoint.Dispose();
    }

    // Inputs are filled in host memory, on whichever device the plan has them.
    private void Upload()
    {
        using var host = new CpuDevice(threads: 1);
        var made = new Dictionary<string, DeviceBuffer>();
        Model.Fill(compiled.Graph, name =>
        {
            var type = Plan.Input(name).Type;
            made[name] = host.Allocate(type.Bytes);
            return new Tensor(made[name], 0, type.DType, type.Concrete());
        });
        foreach (var (name, buffer) in made)
        {
            var input = Plan.Input(name);
            Device.Upload(new Tensor(buffer, 0, DType.Int8, [checked((int)input.Type.Bytes)]).Span<byte>(), input);
            buffer.Dispose();
        }
    }

    private static double Lap(Stopwatch clock)
    {
        double seconds = clock.Elapsed.TotalSeconds;
        clock.Restart();
        return seconds;
    }
}
