using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tasks;

/// <summary>The images of a request at the size of the result, as the autoencoder reads them.</summary>
internal sealed class TaskImages
{
    private readonly float[]? mask; // 1 where the image is redrawn

    /// <summary>Prepares the images.</summary>
    /// <param name="request">The request, with an initial image.</param>
    /// <param name="size">Size of the result.</param>
    /// <param name="modelReadsMask">Whether the denoiser has inputs for mask and masked image.</param>
    public TaskImages(ImageRequest request, PixelSize size, bool modelReadsMask)
    {
        ModelReadsMask = modelReadsMask;
        Initial = Pixels(request.InitImage!, size);
        if (request.MaskImage is null) return;
        mask = [.. Pixels(request.MaskImage, size).Chunk(3).Select(rgb => rgb[0] >= 0 ? 1f : 0f)];
        Masked = [.. Initial];
        for (int i = 0; i < Masked.Length; i++) Masked[i] *= mask[i / 3] < 0.5f ? 1 : 0;
    }

    /// <summary>Whether the denoiser has inputs for mask and masked image.</summary>
    public bool ModelReadsMask { get; }

    /// <summary>The initial image, [h, w, 3], −1 … 1.</summary>
    public float[] Initial { get; }

    /// <summary>The initial image without its masked part, [h, w, 3], −1 … 1.</summary>
    public float[] Masked { get; } = [];

    /// <summary>The mask at the latents' resolution, nearest pixels: [height, width].</summary>
    public float[] LatentMask(int height, int width) => throw new NotImplementedException();

    private static float[] Pixels(Image image, PixelSize size)
    {
        var pixels = new float[size.Width * size.Height * 3];
        image.ToNhwc(pixels);
        return pixels;
    }
}
