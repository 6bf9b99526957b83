using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>The size numbers (<c>time_ids</c>) of a request, as diffusers' <c>_get_add_time_ids</c> orders them.</summary>
internal static class SizeNumbers
{
    /// <summary>Original height, width, crop top, left; then target height, width, or the aesthetic score.</summary>
    /// <param name="request">The request.</param>
    /// <param name="image">Size of the image, taken for sizes that the request leaves out.</param>
    /// <param name="negative">For the negative prompt.</param>
    /// <param name="scored">Whether the model takes an aesthetic score in place of the target size.</param>
    public static float[] Of(ImageRequest request, PixelSize image, bool negative, bool scored)
    {
        var sizes = request.SizeConditioning;
        PixelSize original = sizes.OriginalSize ?? image, target = sizes.TargetSize ?? image;
        var crop = sizes.CropTopLeft;
        if (negative && sizes is { NegativeOriginalSize: { } negativeOriginal, NegativeTargetSize: { } negativeTarget })
            (original, target, crop) = (negativeOriginal, negativeTarget, sizes.NegativeCropTopLeft);
        float[] common = [original.Height, original.Width, crop.Top, crop.Left];
        return scored ? [.. common, (float)(negative ? request.NegativeAestheticScore : request.AestheticScore)]
            : [.. common, target.Height, target.Width];
    }
}
