using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Linear layers in int8 against the same layers as stored.</summary>
public sealed class DynamicQuantizationTests : IDisposable
{
    private const int Rows = 9, In = 96, Hidden = 200, Out = 40;
    private readonly CpuDevice device = new(threads: 2);
    private readonly ArenaPool arenas;
    private readonly string file = Path.GetTempFileName();
    private readonly Checkpoint checkpoint;
    private readonly Two model = new();

    public DynamicQuantizationTests()
    {
        arenas = new ArenaPool(device);
        var random = new Random(1);
        float[] Normal(int count) =>
            [.. Enumerable.Range(0, count)
                .Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())
                    / 10))];
        File.Delete(file);
        var writer = new SafetensorsWriter();
        writer.Add("first.weight", DType.BFloat16, [Hidden, In], Normal(Hidden * In));
        writer.Add("first.bias", DType.BFloat16, [Hidden], Normal(Hidden));
        writer.Add("second.weight", DType.Float32, [Out, Hidden], Normal(Out * Hidden));
        writer.Save(file);
        checkpoint = Checkpoint.Open(file);
        model.Load(checkpoint);
    }

    public void Dispose()
    {
        checkpoint.Dispose();
        arenas.Dispose();
        Assert.Equal(0, device.AllocatedBytes);
        device.Dispose();
        File.Delete(file);
    }

    [Fact]
    public void Apply_ToAModel_ChangesResultsByRoundingAndNotEarlierGraphs()
    {
        var before = Trace();
        float[] exact = Run(before);
        float[] stored = checkpoint.Find("first.weight")!.ReadFloats();

        using var memory = DynamicQuantization.Apply(model, device: device);
        Assert.Equal((2, 2L * Hidden * In + 4L * Out * Hidden), (memory.Layers, memory.OriginalBytes));
        // weights, scales, and the bias, which was BFloat16
        Assert.Equal(Hidden * In + Out * Hidden + 4 * (Hidden + Out + Hidden), memory.Bytes);
        Assert.True(model.First.IsQuantized && model.Second.IsQuantized);
        Assert.Equal(["first.weight", "first.bias", "first.weight_scale", "second.weight", "second.weight_scale"],
            model.Parameters.Select(p => p.Path));

        var after = Trace();
        Assert.Equal(2, after.Nodes.Count(n => n.Op is QuantizedMatMul));
        Assert.InRange(Difference(Run(after), exact), 1e-3, 2e-2); // two layers of 8-bit weights and activations: about 1 %
        Assert.Equal(exact, Run(before));
        Assert.Equal(stored, checkpoint.Find("first.weight")!.ReadFloats()); // dropped pages are read from the file again
    }

    [Fact]
    public void Apply_WithAFilter_LeavesOtherLayersAndQuantizesOnce()
    {
        using var memory = DynamicQuantization.Apply(model, layer => layer.OutFeatures == Out, device);
        Assert.Equal((1, false, true), (memory.Layers, model.First.IsQuantized, model.Second.IsQuantized));
        using var again = DynamicQuantization.Apply(model.Second, device: device);
        Assert.Equal(0, again.Layers);
    }

    [Fact]
    public void Apply_BeforeLoading_SaysSo() =>
        Assert.Contains("first.weight has not been loaded",
            Assert.Throws<InvalidOperationException>(() => DynamicQuantization.Apply(new Two(), device: device)).Message,
                StringComparison.Ordinal);

    [Fact]
    public void Compiled_FusedEpilogues_ChangeNoBit()
    {
        using var memory = DynamicQuantization.Apply(model, device: device);
        Assert.Equal(Run(Trace(), CompileOptions.Eager), Run(Trace()));
    }

    [Fact]
    public void Apply_MemoryIsShortInTheMiddle_LeavesTheModelAsItWas()
    {
        var turned = new Turned();
        turned.Load(checkpoint);
        ShortMemory.Limit(device, 4 * Hidden * In - 1); // enough for the smaller layer, which comes first
        Assert.Throws<DeviceException>(() => DynamicQuantization.Apply(turned, device: device));
        ShortMemory.Limit(device, null);
        Assert.Equal(["second.weight", "first.weight", "first.bias"], turned.Parameters.Select(p => p.Path));
        Assert.Equal(0, device.AllocatedBytes);
        using var memory = DynamicQuantization.Apply(turned, device: device);
        Assert.Equal(2, memory.Layers);
    }

    [Fact]
    public void Quantize_AfterMemoryWasShort_Works()
    {
        using var quantizer = new WeightQuantizer(device);
        using var memory = new QuantizedWeights();
        var stored = model.First.Parameters.First().Tensor;
        void Quantize(int rows) => quantizer.Quantize(new Tensor(stored.Buffer, stored.Offset, stored.DType, [rows, In]), memory);
        Quantize(Hidden / 2);
        ShortMemory.Limit(device, 4 * Hidden * In - 1);
        Assert.Throws<DeviceException>(() => Quantize(Hidden));
        ShortMemory.Limit(device, null);
        Quantize(Hidden / 2);
        Assert.Equal(2, memory.Layers);
    }

    private Graph Trace() => Graph.Trace("two", graph =>
    {
        var x = graph.Input("x", DType.Float32, Dim.Symbol("rows"), In);
        graph.Output("y", model.Second.Forward(Functional.Silu(model.First.Forward(x))));
    });

    private float[] Run(Graph graph, CompileOptions? options = null)
    {
        using var plan = new CompiledGraph(graph, arenas, options).Rent(new Sizes(("rows", Rows)));
        var x = plan.Input("x").Span<float>();
        for (int i = 0; i < x.Length; i++) x[i] = MathF.Sin(i * 0.7f) * (1 + i % In / 30f);
        plan.Run();
        return plan.Output("y").Span<float>().ToArray();
    }

    private static double Difference(float[] actual, float[] expected) =>
        Math.Sqrt(actual.Zip(expected, (a, b) => Math.Pow(a - b, 2)).Sum() / expected.Sum(b => (double)b * b));

    private sealed class Turned : Layer
    {
        public Turned()
        {
            Child("second", new Linear(Hidden, Out, bias: false));
            Child("first", new Linear(In, Hidden));
        }
    }

    private sealed class Two : Layer
    {
        public Two() => (First, Second) = (Child("first", new Linear(In, Hidden)), Child("second", new Linear(Hidden, Out, bias: false)));

        public Linear First { get; }

        public Linear Second { get; }
    }
}
