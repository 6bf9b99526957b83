using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Int8 weights in safetensors files.</summary>
public sealed class QuantizedCheckpointTests : IDisposable
{
    private const int Rows = 11, In = 37, Out = 21;
    private readonly TemporaryFolder folder = new();
    private readonly CpuDevice device = new(threads: 2);
    private readonly ArenaPool arenas;

    public QuantizedCheckpointTests() => arenas = new ArenaPool(device);

    public void Dispose()
    {
        arenas.Dispose();
        Assert.Equal(0, device.AllocatedBytes);
        device.Dispose();
        folder.Dispose();
    }

    [Theory, InlineData(QuantizationMode.Int8), InlineData(QuantizationMode.Int8WeightOnly)]
    public void Load_SavedWeights_GiveTheSameBitsWithoutQuantising(QuantizationMode mode)
    {
        var original = new Model();
        using var stored = Checkpoint.Open(Save(Stored()));
        original.Load(stored);
        float[] exact = Run(original);
        using var memory = DynamicQuantization.Apply(original, device: device, mode: mode);
        float[] expected = Run(original);
        Assert.InRange(Difference(expected, exact), 1e-3, 2e-2);

        using var saved = Checkpoint.Open(Save(original));
        Assert.Equal(DType.Int8, saved.Find("point.weight")!.DType);
        var loaded = new Model();
        loaded.Load(saved);
        DynamicQuantization.SetMode(loaded, mode);
        Assert.True(DynamicQuantization.LayersOf(loaded).All(layer => layer.IsQuantized));
        Assert.Equal(expected, Run(loaded));
        using var again = DynamicQuantization.Apply(loaded, device: device);
        Assert.Equal(0, again.Layers);
    }

    [Fact]
    public void Run_WeightOnly_ErrsLessThanWithActivations()
    {
        using var stored = Checkpoint.Open(Save(Stored()));
        var model = new Model();
        model.Load(stored);
        float[] exact = Run(model);
        using var memory = DynamicQuantization.Apply(model, device: device);
        double both = Difference(Run(model), exact);
        DynamicQuantization.SetMode(model, QuantizationMode.Int8WeightOnly);
        Assert.InRange(Difference(Run(model), exact), 0.3 * both, 0.9 * both);
    }

    [Theory]
    [InlineData("no scale", "point.weight_scale")]
    [InlineData("scale of another width", "point.weight_scale")]
    [InlineData("16-bit scale", "point.weight_scale")]
    [InlineData("16-bit bias", "point.bias")]
    [InlineData("another width", "point.weight")]
    [InlineData("int8 for a larger kernel", "wide.weight")]
    public void Load_FilesThatDoNotFit_NameTheTensor(string fault, string tensor)
    {
        var writer = new SafetensorsWriter();
        Add("point.weight", DType.Int8, fault == "another width" ? [Out, In + 1] : [Out, In]);
        if (fault != "no scale")
            Add("point.weight_scale", fault == "16-bit scale" ? DType.Float16 : DType.Float32,
                fault == "scale of another width" ? [Out + 1] : [Out]);
        Add("point.bias", fault == "16-bit bias" ? DType.BFloat16 : DType.Float32, [Out]);
        Add("wide.weight", fault == "int8 for a larger kernel" ? DType.Int8 : DType.Float32, [In, Out, 3, 3]);
        Add("wide.bias", DType.Float32, [In]);
        using var checkpoint = Checkpoint.Open(Save(writer));
        var failure = Assert.Throws<ModelFileException>(() => new Model().Load(checkpoint));
        Assert.Equal(tensor, failure.Tensor);
        Assert.Contains(tensor, failure.Message, StringComparison.Ordinal);

        void Add(string name, DType dtype, Shape shape) =>
            writer.Add(name, dtype, shape, stream => stream.Write(new byte[shape.Count * dtype.Size()]));
    }

    [Theory, InlineData("point.weight", "within ±127"), InlineData("point.weight_scale", "above 0")]
    public void Run_ValuesOutOfRange_NameTheTensor(string tensor, string range)
    {
        var original = new Model();
        using var stored = Checkpoint.Open(Save(Stored()));
        original.Load(stored);
        using var memory = DynamicQuantization.Apply(original, device: device);
        var damaged = original.Parameters.Single(p => p.Path == tensor).Tensor;
        if (damaged.DType == DType.Int8) damaged.Span<sbyte>()[40] = sbyte.MinValue;
        else damaged.Span<float>()[3] = 0;
        using var saved = Checkpoint.Open(Save(original));
        var loaded = new Model();
        loaded.Load(saved);
        string message = Assert.Throws<ModelFileException>(() => Run(loaded)).Message;
        Assert.Contains($"'{tensor}'", message, StringComparison.Ordinal);
        Assert.Contains(range, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_OfAModel_IsSortedAndChangesNothing()
    {
        using var stored = Checkpoint.Open(Save(Stored()));
        var model = new Model();
        model.Load(stored);
        float[] before = Run(model);
        var row = Assert.Single(QuantizationReport.Of(model, device: device));
        Assert.Equal("point", row.Layer.Path);
        Assert.InRange(row.WeightDecibels, 48, 49.5); // uniform weights: 20·log₁₀(2·127), and more as each row's scale is its largest
        Assert.InRange(row.OutputDecibels, 35, row.WeightDecibels); // that of activations is added
        Assert.InRange(QuantizationReport.Of(model, QuantizationMode.Int8WeightOnly, device)[0].OutputDecibels, row.OutputDecibels + 1, 51);
        Assert.Equal(before, Run(model));
        using var memory = DynamicQuantization.Apply(model, device: device);
        Assert.Contains("point has int8 weights already",
            Assert.Throws<InvalidOperationException>(() => QuantizationReport.Of(model, device: device)).Message, StringComparison.Ordinal);
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Recorded))]
    public void Load_SavedGoldenWeights_MatchTheRecordedResult(string id)
    {
        var golden = Golden.Open("ops/operators")[id];
        var (x, w) = (golden.InputShape("x"), golden.InputShape("weight"));
        var writer = new SafetensorsWriter();
        writer.Add("weight", DType.Float32, w, golden.Input("weight"));
        writer.Add("bias", DType.Float32, golden.InputShape("bias"), golden.Input("bias"));
        using var stored = Checkpoint.Open(Save(writer));
        var original = new Linear(w.Last, w[0]);
        original.Load(stored);
        using var memory = DynamicQuantization.Apply(original, _ => true, device);
        using var saved = Checkpoint.Open(Save(original));
        Assert.Equal(golden.OutputLongs("w_q"), saved.Find("weight")!.ToTensor().Span<sbyte>().ToArray().Select(v => (long)v));
        Assert.Equal(golden.Output("w_scale"), saved.Find("weight_scale")!.ReadFloats());
        var loaded = new Linear(w.Last, w[0]);
        loaded.Load(saved);
        var graph = Graph.Trace("linear", g =>
            g.Output("y", loaded.Forward(g.Input("x", DType.Float32, [.. x.Sizes.ToArray().Select(size => (Dim)size)]))));
        using var plan = new CompiledGraph(graph, arenas).Rent(new Sizes());
        golden.Input("x").CopyTo(plan.Input("x").Span<float>());
        plan.Run();
        golden.Check("y", plan.Output("y").Span<float>().ToArray(), 5e-7); // two products and a sum in float32, on both sides
    }

    public static TheoryData<string> Recorded =>
        [.. Golden.Ids("ops/operators").Where(id => id.StartsWith("int8_dynamic_linear_", StringComparison.Ordinal))];

    private static SafetensorsWriter Stored()
    {
        var random = new Random(2);
        var writer = new SafetensorsWriter();
        void Add(string name, Shape shape) => writer.Add(name, DType.Float32, shape,
            Enumerable.Range(0, (int)shape.Count).Select(_ => (float)random.NextDouble() - 0.5f).ToArray());
        Add("point.weight", [Out, In, 1, 1]);
        Add("point.bias", [Out]);
        Add("wide.weight", [In, Out, 3, 3]);
        Add("wide.bias", [In]);
        return writer;
    }

    private string Save(SafetensorsWriter writer)
    {
        string path = Path.Combine(folder.Path, $"{Guid.NewGuid():n}.safetensors");
        writer.Save(path);
        return path;
    }

    private string Save(Layer model)
    {
        var writer = new SafetensorsWriter();
        foreach (var parameter in model.Parameters) writer.Add(parameter.Path, parameter.Tensor);
        return Save(writer);
    }

    private float[] Run(Model model)
    {
        var graph = Graph.Trace("model", g =>
            g.Output("y", model.Point.Forward(g.Input("x", DType.Float32, 1, Dim.Symbol("rows"), 4, In))));
        using var plan = new CompiledGraph(graph, arenas).Rent(new Sizes(("rows", Rows)));
        var x = plan.Input("x").Span<float>();
        for (int i = 0; i < x.Length; i++) x[i] = MathF.Sin(i * 0.7f) * (1 + i % In / 30f);
        plan.Run();
        return plan.Output("y").Span<float>().ToArray();
    }

    private static double Difference(float[] actual, float[] expected) =>
        Math.Sqrt(actual.Zip(expected, (a, b) => Math.Pow(a - b, 2)).Sum() / expected.Sum(b => (double)b * b));

    private sealed class Model : Layer
    {
        public Model()
        {
            Point = Child("point", new Conv2d(In, Out, 1));
            Child("wide", new Conv2d(Out, In, 3, padding: 1));
        }

        public Conv2d Point { get; }
    }
}
