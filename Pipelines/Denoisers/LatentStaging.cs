using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>
/// Host memory through which latents go to and from a device, in both layouts. Requests rent it: at large sizes it would be garbage of
/// megabytes per request.
/// </summary>
internal sealed class LatentStaging
{
    private float[] nchw = [], nhwc = [];

    /// <summary>Makes room for latents of a shape, [n, h, w, c].</summary>
    public void Fit(Shape shape)
    {
        int count = checked((int)shape.Count);
        if (nchw.Length < count) (nchw, nhwc) = (new float[count], new float[count]);
    }

    /// <summary>Values in diffusers' layout, [n, c, h, w], to be filled before <see cref="Upload"/>.</summary>
    public Span<float> Nchw(Shape shape) => nchw.AsSpan(0, (int)shape.Count);

    /// <summary>Queues the upload of the values.</summary>
    public void Upload(Device device, Tensor target)
    {
        var (n, h, w, c) = Sizes(target.Shape);
        var values = nhwc.AsSpan(0, n * h * w * c);
        Latents.ToNhwc(nchw, values, n, c, h * w);
        device.Upload(MemoryMarshal.AsBytes(values), target);
    }

    /// <summary>Reads latents back.</summary>
    public Latents Download(Device device, Tensor source)
    {
        var (n, h, w, c) = Sizes(source.Shape);
        var values = nhwc.AsSpan(0, n * h * w * c);
        device.Download(source, MemoryMarshal.AsBytes(values));
        float[] result = new float[values.Length];
        Latents.ToNchw(values, result, n, c, h * w);
        return new Latents(n, c, h, w, result);
    }

    private static (int N, int H, int W, int C) Sizes(Shape shape) => (shape[0], shape[1], shape[2], shape[3]);
}
