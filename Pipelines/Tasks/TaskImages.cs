using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tasks;

/// <summary>The images of a request at the size of the result, as the autoencoder reads them.</summary>
internal sealed class TaskImages
{
    private readonly Image original;
    private readonly Image? maskImage;
    private readonly Mask? mask;
    private readonly PixelBox? region;

    /// <summary>Prepares the images.</summary>
    /// <param name="request">The request, with an initial image.</param>
    /// <param name="size">Size of the run.</param>
    /// <param name="modelReadsMask">Whether the denoiser has inputs for mask and masked image.</param>
    public TaskImages(ImageRequest request, PixelSize size, bool modelReadsMask)
    {
        ModelReadsMask = modelReadsMask;
        original = request.InitImage!;
        if (request.MaskImage is { } given) maskImage = request.MaskBlur > 0 ? ImageProcessor.Blur(given, (float)request.MaskBlur) : given;
        if (maskImage is not null && request.PaddingMaskCrop is { } padding)
            region = MaskedRegion.Find(maskImage, size.Width, size.Height, padding);
        var mode = region is null ? ResizeMode.Default : ResizeMode.Fill;
        Initial = ImageProcessor.Values(
            [ImageProcessor.Resize(region is { } box ? ImageProcessor.Crop(original, box) : original, size.Width, size.Height, mode)]);
        if (maskImage is null) return;
        mask = ImageProcessor.ToMask(maskImage, size.Width, size.Height, mode, region);
        Masked = mask.Outside(Initial);
    }

    /// <summary>Whether the denoiser has inputs for mask and masked image.</summary>
    public bool ModelReadsMask { get; }

    /// <summary>The initial image, [h, w, 3], −1 … 1.</summary>
    public float[] Initial { get; }

    /// <summary>The initial image without its masked part, [h, w, 3], −1 … 1.</summary>
    public float[] Masked { get; } = [];

    /// <summary>The mask at the latents' resolution: [height, width].</summary>
    public float[] LatentMask(int height, int width) => mask!.To(width, height).Values;

    /// <summary>Puts a result that shows a part of the initial image back into it; any other is returned as it is.</summary>
    public Image Restore(Image result) => region is null ? result : MaskedRegion.Overlay(maskImage!, original, result, region);
}
