using System.Runtime.InteropServices;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Denoisers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>A tiny UNet of the reference data, compiled once, with or without a mask over the prompt's tokens.</summary>
internal sealed class TestUNet : IDisposable
{
    private readonly Device device;
    private readonly bool ownsDevice;
    private readonly ArenaPool arenas;
    private readonly Checkpoint checkpoint;
    private readonly QuantizedWeights? int8;

    public TestUNet(string folder, int timeIds, bool mask = false, int threads = 2, string? variant = null,
        Func<TestWeights, TestWeights>? change = null, CompileOptions? options = null, bool quantize = false, Device? on = null,
            DType dtype = DType.Float32, DType? weights = null)
    {
        checkpoint = Checkpoint.OpenFolder(folder, variant);
        (device, ownsDevice) = (on ?? new CpuDevice(threads), on is null);
        arenas = new ArenaPool(device);
        Model = new UNet2DConditionModel(ModelConfig.Load(Path.Combine(folder, "config.json")));
        Model.Load(change is null ? checkpoint : change(new TestWeights(checkpoint)));
        Model.To(weights ?? dtype);
        int8 = quantize ? DynamicQuantization.Apply(Model) : null;
        Compiled = new CompiledGraph(Model.Trace(timeIds, mask, dtype), arenas, options);
    }

    public UNet2DConditionModel Model { get; }

    public CompiledGraph Compiled { get; }

    /// <summary>A tiny model with its own weights: <c>tiny-sdxl</c>, <c>tiny-sd15</c> …</summary>
    public static TestUNet Open(string model, int timeIds, bool mask = false, int threads = 2, CompileOptions? options = null,
        bool quantize = false, Device? on = null, DType dtype = DType.Float32, DType? weights = null) =>
        new(Golden.Folder($"{model}/unet"), timeIds, mask, threads, options: options, quantize: quantize, on: on, dtype: dtype,
            weights: weights);

    /// <summary>Runs a recorded case and returns its results, by the recorded names, in the recorded layout.</summary>
    public Dictionary<string, float[]> Run(GoldenCase golden, IReadOnlyCollection<string> outputs)
    {
        var shape = golden.InputShape("sample");
        int batch = shape[0];
        float[] timestep = golden.Input("timestep", integers: true);
        if (timestep.Length == 1) timestep = [.. Enumerable.Repeat(timestep[0], batch)];
        string[] keep = [.. outputs.Where(o => o != "sample").Select(o => o["act/".Length..])];
        using var plan = Compiled.Rent(Sizes(batch, shape[2], shape[3], golden.InputShape("encoder_hidden_states")[1]), keep);
        Set("sample", Images.ToNhwc(golden.Input("sample"), shape));
        Set("timestep", timestep);
        Set("encoder_hidden_states", golden.Input("encoder_hidden_states"));
        foreach (string name in new[] { "text_embeds", "time_ids" })
            if (golden.Inputs.ContainsKey(name)) Set(name, golden.Input(name));
        if (golden.Inputs.ContainsKey("encoder_attention_mask"))
            Set("encoder_attention_mask", golden.Input("encoder_attention_mask", integers: true));
        plan.Run();
        return outputs.ToDictionary(o => o,
            o => Images.ToRecorded(device.Read(o == "sample" ? plan.Output("sample") : plan.Named(o["act/".Length..])),
                golden.OutputShape(o)));

        void Set(string input, float[] values) => device.Upload(MemoryMarshal.AsBytes(values.AsSpan()), plan.Input(input));
    }

    /// <summary>One prediction for one image; latents and result NHWC.</summary>
    public float[] Predict(float[] sample, int height, int width, float timestep, float[] text)
    {
        using var plan = Compiled.Rent(Sizes(1, height, width, text.Length / Model.CrossAttentionDim));
        foreach (var (name, values) in new[] { ("sample", sample), ("timestep", [timestep]), ("encoder_hidden_states", text) })
            device.Upload(MemoryMarshal.AsBytes(values.AsSpan()), plan.Input(name));
        plan.Run();
        return device.Read(plan.Output("sample"));
    }

    /// <summary>Runs one image's worth of arbitrary but fixed numbers, different for every entry of the batch.</summary>
    public float[] Run(int batch, int height, int width, int tokens)
    {
        using var plan = Compiled.Rent(Sizes(batch, height, width, tokens));
        var random = new Random(batch * 1000 + height * 100 + width * 10 + tokens);
        foreach (string name in Compiled.Graph.Inputs.Keys)
        {
            var values = plan.Input(name).Span<float>();
            foreach (ref float value in values)
                value = name switch
                {
                    "timestep" => random.Next(1000),
                    "time_ids" => random.Next(2048),
                    "encoder_attention_mask" => random.Next(2),
                    _ => (float)(random.NextDouble() * 4 - 2),
                };
        }

        plan.Run();
        return plan.Output("sample").Span<float>().ToArray();
    }

    public void Dispose()
    {
        arenas.Dispose();
        int8?.Dispose();
        if (ownsDevice) device.Dispose();
        checkpoint.Dispose();
    }

    private static Sizes Sizes(int batch, int height, int width, int tokens) =>
        new(("batch", batch), ("height", height), ("width", width), ("tokens", tokens));
}

/// <summary>Access to recorded and planned values.</summary>
internal static class TestUNetValues
{
    /// <summary>A tensor's values, on any device.</summary>
    public static float[] Read(this Device device, Tensor tensor)
    {
        float[] values = new float[tensor.Shape.Count];
        device.Download(tensor, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>An input's values, which may be recorded as integers or booleans.</summary>
    public static float[] Input(this GoldenCase golden, string name, bool integers) =>
        integers && golden.Inputs[name].DType is not "float32" ? [.. golden.InputLongs(name).Select(v => (float)v)] : golden.Input(name);
}

/// <summary>Converts between the recorded NCHW and the engine's NHWC.</summary>
internal static class Images
{
    public static float[] ToNhwc(float[] nchw, Shape shape) => Permute(nchw, shape[0], shape[1], shape[2] * shape[3]);

    /// <summary>A planned value in the recorded order: images are transposed, tokens and embeddings stay.</summary>
    public static float[] ToRecorded(float[] values, Shape recorded) =>
        recorded.Rank == 4 ? Permute(values, recorded[0], recorded[2] * recorded[3], recorded[1]) : values;

    /// <summary>[n, rows, columns] → [n, columns, rows].</summary>
    private static float[] Permute(float[] values, int n, int rows, int columns)
    {
        float[] result = new float[values.Length];
        for (int i = 0; i < n; i++)
            for (int r = 0; r < rows; r++)
                for (int c = 0; c < columns; c++)
                    result[(i * columns + c) * rows + r] = values[(i * rows + r) * columns + c];
        return result;
    }
}
