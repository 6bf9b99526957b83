using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>
/// The autoencoder of a pipeline: encodes images into latents and decodes them, NHWC in host memory. Encoder and decoder are compiled on
/// first use; further sizes and batches only need plans. Thread-safe.
/// </summary>
public sealed partial class Autoencoder
{
    private readonly AutoencoderConfig config;
    private readonly Device device;
    private readonly AutoencoderKL model;
    private readonly CompileOptions? options;
    private readonly GraphCache<string> encoder, decoder;

    /// <summary>Wraps a loaded model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="arenas">Memory of the device that it runs on.</param>
    /// <param name="options">How encoder and decoder are compiled; null for all passes.</param>
    /// <param name="dtype">The type that it computes in.</param>
    internal Autoencoder(AutoencoderKL model, ArenaPool arenas, CompileOptions? options = null, DType dtype = DType.Float32)
    {
        (this.model, config, device, Scale) = (model, model.Config, arenas.Device, new LatentScale(model.Config));
        (this.options, DType) = (options, dtype);
        (encoder, decoder) = (new(model.Encoder, arenas), new(model.Decoder, arenas));
        Encoder.Compile(options);
        Decoder.Compile(options);
    }

    /// <summary>The encoder, from images to latents; <see cref="Layer.Compile"/> selects how it runs.</summary>
    public Layer Encoder => model.Encoder;

    /// <summary>The decoder, from latents to images; <see cref="Layer.Compile"/> selects how it runs.</summary>
    public Layer Decoder => model.Decoder;

    /// <summary>Channels of latents: 4, in newer families 16.</summary>
    public int LatentChannels => config.LatentChannels;

    /// <summary>Pixels per latent, both ways: 8.</summary>
    public int SpatialFactor => config.SpatialFactor;

    /// <summary>The type that encoder and decoder compute in.</summary>
    public DType DType { get; }

    /// <summary>Conversion between the encoder's latents and the denoiser's.</summary>
    internal LatentScale Scale { get; }

    /// <summary>The model's configuration.</summary>
    internal AutoencoderConfig Config => config;

    /// <summary>The compiled encoder.</summary>
    internal CompiledGraph EncoderGraph => encoder.Get("vae.encode", name => Trace(name, config.InChannels, model.Encode));

    /// <summary>The compiled decoder.</summary>
    internal CompiledGraph DecoderGraph => decoder.Get("vae.decode", name => Trace(name, config.LatentChannels, model.Decode));

    /// <summary>The graphs compiled so far.</summary>
    internal IEnumerable<CompiledGraph> Compiled => encoder.Compiled.Concat(decoder.Compiled);

    /// <summary>Decodes latents into images.</summary>
    /// <param name="latents">The encoder's latents, without the denoiser's scale and shift: [count, height, width, latent
    /// channels].</param>
    /// <param name="count">Number of images.</param>
    /// <param name="height">Rows of latents.</param>
    /// <param name="width">Columns of latents.</param>
    /// <param name="tiling">Decodes in tiles; null decodes whole images.</param>
    /// <param name="cancellation">Checked between kernels.</param>
    /// <returns>[count, 8 · height, 8 · width, 3], nominally −1 … 1.</returns>
    /// <exception cref="ShapeException">The number of values does not match the sizes.</exception>
    /// <exception cref="ArgumentException">The tiles are not whole numbers of latents.</exception>
    public float[] Decode(ReadOnlySpan<float> latents, int count, int height, int width, VaeTiling? tiling = null,
        CancellationToken cancellation = default) =>
        Decode(Checked("vae.decode", "latents", latents, count, height, width, LatentChannels), Grid(tiling), Log, cancellation).Values;

    /// <summary>Encodes images into latents.</summary>
    /// <param name="pixels">[count, height, width, 3], −1 … 1.</param>
    /// <param name="count">Number of images.</param>
    /// <param name="height">Rows of pixels, a multiple of 8.</param>
    /// <param name="width">Columns of pixels, a multiple of 8.</param>
    /// <param name="tiling">Encodes in tiles; null encodes whole images.</param>
    /// <param name="cancellation">Checked between kernels.</param>
    /// <returns>The distribution of the latents, without the denoiser's scale and shift.</returns>
    /// <exception cref="ShapeException">The number of values does not match the sizes, or a size is not a multiple of
    /// <see cref="SpatialFactor"/>.</exception>
    /// <exception cref="ArgumentException">The tiles are not whole numbers of latents.</exception>
    public LatentDistribution Encode(ReadOnlySpan<float> pixels, int count, int height, int width, VaeTiling? tiling = null,
        CancellationToken cancellation = default)
    {
        int factor = SpatialFactor;
        var source = Checked("vae.encode", "pixels", pixels, count, height, width, config.InChannels);
        ShapeException.ThrowUnless(height % factor == 0 && width % factor == 0, "vae.encode", "the image's size", $"{width}×{height}",
            $"a multiple of {factor} both ways");
        return Encode(source, Grid(tiling), Log, cancellation);
    }

    private LatentDistribution Encode(Tile pixels, TileGrid? cut, Action<string> warn, CancellationToken cancellation)
    {
        var moments = Moments(this);
        return new(Overflowed(moments.Values, pixels.Values) ? InFloat32(Moments, Encoded, warn) : moments);

        Tile Moments(Autoencoder coder) => coder.Apply(coder.EncoderGraph, pixels, cut?.Pixels, cut?.Latents,
            (h, w) => (h / SpatialFactor, w / SpatialFactor), 2 * LatentChannels, cancellation);
    }

    private Tile Decode(Tile latents, TileGrid? cut, Action<string> warn, CancellationToken cancellation)
    {
        int factor = SpatialFactor;
        var image = Pixels(this);
        return Overflowed(image.Values, latents.Values) ? InFloat32(Pixels, Decoded, warn) : image;

        Tile Pixels(Autoencoder coder) => coder.Apply(coder.DecoderGraph, latents, cut?.Latents, cut?.Pixels,
            (h, w) => (checked(h * factor), checked(w * factor)), config.OutChannels, cancellation);
    }

    /// <summary>The tiles that a request asks for; null for whole images.</summary>
    /// <exception cref="ArgumentException">The tiles are not whole numbers of latents.</exception>
    internal TileGrid? Grid(VaeTiling? tiling) =>
        tiling is null ? null : new TileGrid(tiling.Pixels ?? config.SampleSize, tiling.Overlap, SpatialFactor);

    private Tile Apply(CompiledGraph graph, Tile source, TileGrid.Side? from, TileGrid.Side? to,
        Func<int, int, (int Height, int Width)> scale, int channels, CancellationToken cancellation)
    {
        var (height, width) = scale(source.Height, source.Width);
        var result = Tile.Empty(source.Count, height, width, channels);
        if (from is { } cut && to is { } paste && (source.Height > cut.Size || source.Width > cut.Size))
            TiledRun.Run(source, cut, result, paste, tile => Run(graph, tile, scale(tile.Height, tile.Width), channels, cancellation),
                cancellation);
        else Run(graph, source, result, cancellation);
        return result;
    }

    private Tile Run(CompiledGraph graph, Tile source, (int Height, int Width) size, int channels, CancellationToken cancellation)
    {
        var result = Tile.Empty(source.Count, size.Height, size.Width, channels);
        Run(graph, source, result, cancellation);
        return result;
    }

    private void Run(CompiledGraph graph, Tile source, Tile result, CancellationToken cancellation)
    {
        using var plan = Rent(graph, source.Count, source.Height, source.Width, cancellation);
        device.Upload(MemoryMarshal.AsBytes<float>(source.Values), plan.Input("x"));
        plan.Run(cancellation);
        device.Download(plan.Output("y"), MemoryMarshal.AsBytes(result.Values.AsSpan()));
    }

    private static Tile Checked(string op, string name, ReadOnlySpan<float> values, int count, int height, int width, int channels)
    {
        bool fits = count > 0 && height > 0 && width > 0 && values.Length == (long)count * height * width * channels;
        ShapeException.ThrowUnless(fits, op, name, $"{values.Length} numbers",
            $"[{count}, {height}, {width}, {channels}], every size positive");
        return new Tile(count, height, width, channels, values.ToArray());
    }

    private Graph Trace(string name, int channels, Func<Value, Value> forward) => Graph.Trace(name, graph =>
    {
        var x = graph.Input("x", DType.Float32, Dim.Symbol("batch"), Dim.Symbol("height"), Dim.Symbol("width"), channels);
        graph.Output("y", Functional.Cast(forward(Functional.Cast(x, DType)), DType.Float32));
    });
}
