using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>Between a denoiser's latents on the device and images.</summary>
public sealed partial class Autoencoder
{
    private const double LowestLogVariance = -30, HighestLogVariance = 20; // as diffusers clamps it

    /// <summary>The decoder of a denoiser's latents.</summary>
    internal CompiledGraph ImageGraph => decoder.Get("latents", _ => TraceImage());

    /// <summary>Draws a denoiser's latents of an image from the encoder's distribution: mean + e^(log variance / 2) · noise.</summary>
    private CompiledGraph LatentsGraph => encoder.Get("latents", _ => Graph.Trace("vae.encode", graph =>
    {
        Dim batch = Dim.Symbol("batch"), height = Dim.Symbol("height"), width = Dim.Symbol("width");
        var image = graph.Input("x", DType.Float32, batch, height * SpatialFactor, width * SpatialFactor, config.InChannels);
        var noise = graph.Input("noise", DType.Float32, batch, height, width, LatentChannels);
        var moments = Cast(model.Encode(Cast(image, DType)), DType.Float32);
        var logVariance = graph.Add(new Clamp(LowestLogVariance, HighestLogVariance), Chunk(moments, -1, 1, 2));
        var deviation = Activate(logVariance * 0.5, UnaryFunction.Exp);
        graph.Output("y", Scale.ToDenoiser(Chunk(moments, -1, 0, 2) + deviation * noise));
    }));

    /// <summary>Decodes a denoiser's final latents into an 8-bit image: one read-back, of the pixels.</summary>
    /// <param name="latents">Latents of one image on the device, [1, h, w, channels].</param>
    /// <param name="cut">Tiles, which are joined in host memory; null decodes the whole image.</param>
    /// <param name="warn">Receives a warning if Float16 overflows, so that the image is decoded in Float32.</param>
    /// <param name="cancellation">Checked between kernels.</param>
    /// <exception cref="NonFiniteException">The decoder computed NaN or infinity.</exception>
    internal Image DecodeImage(Tensor latents, TileGrid? cut, Action<string> warn, CancellationToken cancellation)
    {
        int height = latents.Shape[1], width = latents.Shape[2];
        float[] image;
        if (cut is not null && (height > cut.Latents.Size || width > cut.Latents.Size))
        {
            var tile = Tile.Empty(1, height, width, LatentChannels);
            device.Download(latents, MemoryMarshal.AsBytes(tile.Values.AsSpan()));
            Scale.ToDecoder(tile.Values);
            image = Decode(tile, cut, warn, cancellation).Values;
        }
        else
        {
            image = DecodeWhole(latents, cancellation);
            if (MayOverflow && Overflowed(image, Read(latents)))
                image = InFloat32(coder => coder.DecodeWhole(latents, cancellation), Decoded, warn);
        }

        var last = MayOverflow ? DType.Float32 : DType;
        if (NotFinite.IndexIn(image) is >= 0 and var bad) throw NotFinite.Error("vae", last, image[bad], "in the decoded image");
        return Image.FromNhwc(image, width * SpatialFactor, height * SpatialFactor);
    }

    /// <summary>Draws a denoiser's latents of an image on the device, without a read-back unless in tiles or in Float16.</summary>
    /// <param name="pixels">One image, [1, h, w, 3], −1 … 1.</param>
    /// <param name="noise">Standard normal numbers, [1, h / 8, w / 8, channels].</param>
    /// <param name="latents">Receives the latents, [1, h / 8, w / 8, channels].</param>
    /// <param name="cut">Tiles; null encodes the whole image.</param>
    /// <param name="warn">Receives a warning if Float16 overflows, so that the image is encoded in Float32.</param>
    /// <param name="cancellation">Checked between kernels.</param>
    internal void EncodeImage(float[] pixels, float[] noise, Tensor latents, TileGrid? cut, Action<string> warn,
        CancellationToken cancellation)
    {
        int height = latents.Shape[1], width = latents.Shape[2];
        if (cut is not null && (height > cut.Latents.Size || width > cut.Latents.Size))
        {
            var source = Checked("vae.encode", "pixels", pixels, 1, height * SpatialFactor, width * SpatialFactor, config.InChannels);
            float[] drawn = Encode(source, cut, warn, cancellation).Sample(noise);
            Scale.ToDenoiser(drawn);
            device.Upload(MemoryMarshal.AsBytes(drawn.AsSpan()), latents);
            return;
        }

        EncodeWhole(pixels, noise, latents, cancellation);
        if (MayOverflow && Overflowed(Read(latents), pixels))
            InFloat32(coder => coder.EncodeWhole(pixels, noise, latents, cancellation), Encoded, warn);
    }

    private float[] DecodeWhole(Tensor latents, CancellationToken cancellation)
    {
        int height = latents.Shape[1], width = latents.Shape[2];
        var image = new float[checked(height * SpatialFactor * width * SpatialFactor * config.OutChannels)];
        using var scope = new DeviceScope(device);
        using var plan = Rent(ImageGraph, 1, height, width, cancellation);
        scope.Copy(latents, plan.Input("x"), cancellation);
        plan.Run(cancellation);
        device.Download(plan.Output("y"), MemoryMarshal.AsBytes(image.AsSpan()));
        return image;
    }

    private Tensor EncodeWhole(float[] pixels, float[] noise, Tensor latents, CancellationToken cancellation)
    {
        using var scope = new DeviceScope(device);
        using var plan = Rent(LatentsGraph, 1, latents.Shape[1], latents.Shape[2], cancellation);
        device.Upload(MemoryMarshal.AsBytes(pixels.AsSpan()), plan.Input("x"));
        device.Upload(MemoryMarshal.AsBytes(noise.AsSpan()), plan.Input("noise"));
        plan.Run(cancellation);
        scope.Copy(plan.Output("y"), latents, cancellation);
        return latents;
    }

    /// <summary>Records the decoder of a denoiser's latents.</summary>
    internal Graph TraceImage() => Graph.Trace("vae.decode", graph =>
    {
        var latents = graph.Input("x", DType.Float32, Dim.Symbol("batch"), Dim.Symbol("height"), Dim.Symbol("width"), LatentChannels);
        graph.Output("y", Cast(model.Decode(Cast(Scale.ToDecoder(latents), DType)), DType.Float32));
    });

    /// <summary>Starts compiling in the background what decoding one image needs and the device does not have yet.</summary>
    /// <param name="latents">Size of the image's latents.</param>
    /// <param name="cut">Tiles; null for whole images.</param>
    /// <param name="cancellation">Skips what has not started.</param>
    internal void PrepareDecoder((int Height, int Width) latents, TileGrid? cut, CancellationToken cancellation)
    {
        int most = cut?.Latents.Size ?? int.MaxValue;
        var graph = latents.Height > most || latents.Width > most ? DecoderGraph : ImageGraph;
        graph.Prepare(SizesOf(1, Math.Min(latents.Height, most), Math.Min(latents.Width, most)), cancellation);
    }

    private static Plan Rent(CompiledGraph graph, int count, int height, int width, CancellationToken cancellation)
    {
        var sizes = SizesOf(count, height, width);
        graph.Tune(sizes, cancellation);
        return graph.Rent(sizes, cancellation: cancellation);
    }

    private static Sizes SizesOf(int count, int height, int width) => new(("batch", count), ("height", height), ("width", width));
}
