using System.Runtime.InteropServices;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>A tiny text encoder of the reference data, ready to run.</summary>
internal sealed class TestTextEncoder : IDisposable
{
    private readonly Checkpoint checkpoint;
    private readonly Device device;
    private readonly bool ownsDevice;
    private readonly ArenaPool arenas;

    private TestTextEncoder(string folder, Func<TestWeights, Device, TestWeights>? change, string? variant, int threads,
        CompileOptions? options, Device? on, DType dtype, DType? weights)
    {
        checkpoint = Checkpoint.OpenFolder(folder, variant);
        (device, ownsDevice) = (on ?? new CpuDevice(threads), on is null);
        arenas = new ArenaPool(device);
        Model = new ClipTextModel(ModelConfig.Load(Path.Combine(folder, "config.json")));
        Model.Load(change is null ? checkpoint : change(new TestWeights(checkpoint), device));
        Model.To(weights ?? dtype);
        Encoder = new ClipTextEncoder(Model, arenas, options: options, dtype: dtype);
    }

    public ClipTextModel Model { get; }

    public ClipTextEncoder Encoder { get; }

    /// <summary>A tiny model's encoder: <c>tiny-sdxl/text_encoder_2</c> …</summary>
    public static TestTextEncoder Open(string model, Func<TestWeights, Device, TestWeights>? change = null, string? variant = null,
        int threads = 2, CompileOptions? options = null, Device? on = null, DType dtype = DType.Float32, DType? weights = null) =>
        new(Golden.Folder(model), change, variant, threads, options, on, dtype, weights);

    /// <summary>Encodes a recorded case's ids.</summary>
    public HostEmbeddings Run(GoldenCase golden, ClipHiddenState state, bool pooled) =>
        Encode(Ids(golden), golden.InputShape("input_ids")[0], state, pooled);

    /// <summary>Encodes ids and reads the result back.</summary>
    public HostEmbeddings Encode(ReadOnlySpan<int> ids, int count, ClipHiddenState state, bool pooled,
        CancellationToken cancellation = default) => Encoder.Encode(ids, count, state, pooled, device, cancellation);

    public void Dispose()
    {
        Encoder.Trim();
        arenas.Dispose();
        if (ownsDevice) device.Dispose();
        checkpoint.Dispose();
    }

    private static int[] Ids(GoldenCase golden) => [.. golden.InputLongs("input_ids").Select(id => (int)id)];
}

/// <summary>Embeddings read back.</summary>
internal sealed record HostEmbeddings(float[] Hidden, float[] Pooled);

internal static class TextEncoderExtensions
{
    /// <summary>Encodes ids and reads the result back.</summary>
    public static HostEmbeddings Encode(this ClipTextEncoder encoder, ReadOnlySpan<int> ids, int count, ClipHiddenState state, bool pooled,
        Device device, CancellationToken cancellation = default)
    {
        using var scope = new DeviceScope(device);
        var result = encoder.Encode(ids, count, state, pooled, scope, cancellation);
        return new HostEmbeddings(Read(result.Hidden), result.Pooled is null ? [] : Read(result.Pooled));

        float[] Read(Tensor tensor)
        {
            var values = new float[tensor.Shape.Count];
            device.Download(tensor, MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        }
    }
}
