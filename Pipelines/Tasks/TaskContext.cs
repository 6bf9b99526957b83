using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tasks;

/// <summary>What a task works with.</summary>
/// <param name="Request">The request.</param>
/// <param name="Images">The request's images; null without an initial image.</param>
/// <param name="Vae">Encodes images.</param>
/// <param name="Tiles">Tiles to encode in; null for whole images.</param>
/// <param name="Schedule">The run, from its first evaluation on.</param>
/// <param name="Shape">Shape of the latents, [n, h, w, c].</param>
/// <param name="Noise">The run's random numbers.</param>
/// <param name="Scope">Owns what the task keeps on the device.</param>
/// <param name="Warn">Receives warnings for the result.</param>
/// <param name="Cancellation">Checked between kernels.</param>
internal sealed record TaskContext(ImageRequest Request, TaskImages? Images, Autoencoder Vae, TileGrid? Tiles, Schedule Schedule,
    Shape Shape, NoiseSource Noise, DeviceScope Scope, Action<string> Warn, CancellationToken Cancellation)
{
    /// <summary>Numbers in the latents of one image.</summary>
    private int ImageSize => checked((int)(Shape.Count / Shape[0]));

    /// <summary>Draws noise for all images, NCHW.</summary>
    public float[] Draw()
    {
        var noise = new float[Shape.Count];
        Noise(noise);
        return noise;
    }

    /// <summary>A tensor of the latents' shape with values that are given as NCHW.</summary>
    public Tensor Upload(float[] nchw) => Scope.Upload(ToNhwc(nchw, Shape[0]), Shape);

    /// <summary>
    /// Latents of an image, drawn for each image of the batch. As in diffusers, a shared generator draws them once for all.
    /// </summary>
    /// <param name="pixels">[h, w, 3], −1 … 1.</param>
    public Tensor Encode(float[] pixels)
    {
        int count = Shape[0], drawn = Request.SharedGenerator ? 1 : count;
        var noise = new float[ImageSize * drawn];
        Noise(noise);
        float[] nhwc = ToNhwc(noise, drawn);
        var latents = Scope.Allocate(DType.Float32, Shape);
        for (int i = 0; i < count; i++)
        {
            if (i < drawn)
                Vae.EncodeImage(pixels, nhwc[(i * ImageSize)..((i + 1) * ImageSize)], latents.Slice(i, 1), Tiles, Warn, Cancellation);
            else Scope.Copy(latents.Slice(0, 1), latents.Slice(i, 1), Cancellation);
        }

        return latents;
    }

    private float[] ToNhwc(float[] nchw, int count)
    {
        var nhwc = new float[nchw.Length];
        Latents.ToNhwc(nchw, nhwc, count, Shape[3], Shape[1] * Shape[2]);
        return nhwc;
    }
}
