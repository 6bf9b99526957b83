using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Requests;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>A tiny autoencoder of the reference data, ready to run.</summary>
internal sealed class TestVae : IDisposable
{
    private readonly Checkpoint checkpoint;
    private readonly Device device;
    private readonly bool ownsDevice;
    private readonly ArenaPool arenas;

    private TestVae(
        string folder, Func<TestWeights, Device, TestWeights>? change, string? variant, int threads, CompileOptions? options, Device? on,
        DType dtype, DType? weights, ILogger? logger)
    {
        checkpoint = Checkpoint.OpenFolder(folder, variant);
        (device, ownsDevice) = (on ?? new CpuDevice(threads), on is null);
        arenas = new ArenaPool(device);
        var model = new AutoencoderKL(ModelConfig.Load(Path.Combine(folder, "config.json")));
        model.Load(change is null ? checkpoint : change(new TestWeights(checkpoint), device), logger);
        Coder = new Autoencoder(model, arenas, options, dtype);
        model.To(weights ?? Coder.DType);
    }

    public Autoencoder Coder { get; }

    /// <summary>A tiny model's autoencoder: <c>tiny-sdxl</c>, <c>tiny-sd15</c> …</summary>
    public static TestVae Open(
        string model, Func<TestWeights, Device, TestWeights>? change = null, string? variant = null, int threads = 2,
        CompileOptions? options = null, Device? on = null, DType dtype = DType.Float32, DType? weights = null, ILogger? logger = null) =>
        new(Golden.Folder($"{model}/vae"), change, variant, threads, options, on, dtype, weights, logger);

    /// <summary>Decodes a recorded case's latents; NCHW as recorded.</summary>
    public float[] Decode(GoldenCase golden, VaeTiling? tiling = null)
    {
        var shape = golden.InputShape("latent");
        float[] image = Coder.Decode(Images.ToNhwc(golden.Input("latent"), shape), shape[0], shape[2], shape[3], tiling);
        return ToNchw(image, golden.OutputShape("image"));
    }

    /// <summary>Encodes a recorded case's image.</summary>
    public LatentDistribution Encode(GoldenCase golden, VaeTiling? tiling = null)
    {
        var shape = golden.InputShape("image");
        return Coder.Encode(Images.ToNhwc(golden.Input("image"), shape), shape[0], shape[2], shape[3], tiling);
    }

    /// <summary>Decodes arbitrary but fixed latents.</summary>
    public float[] Decode(int count, int height, int width, VaeTiling? tiling = null)
    {
        var random = new Random(count * 10000 + height * 100 + width);
        float[] latents = [.. Enumerable.Range(0, count * height * width * Coder.LatentChannels)
            .Select(_ => (float)(random.NextDouble() * 4 - 2))];
        return Coder.Decode(latents, count, height, width, tiling);
    }

    /// <summary>[n, h, w, c] to the recorded [n, c, h, w].</summary>
    public static float[] ToNchw(float[] nhwc, Shape recorded)
    {
        float[] nchw = new float[nhwc.Length];
        int channels = recorded[1], pixels = recorded[2] * recorded[3];
        for (int i = 0; i < nhwc.Length; i++)
            nchw[(i / (pixels * channels) * channels + i % channels) * pixels + i / channels % pixels] = nhwc[i];
        return nchw;
    }

    public void Dispose()
    {
        arenas.Dispose();
        if (ownsDevice) device.Dispose();
        checkpoint.Dispose();
    }
}
