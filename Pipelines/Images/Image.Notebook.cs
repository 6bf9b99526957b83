namespace ILGpuDiffusion.Pipelines.Images;

[TypeFormatterSource(typeof(ImageFormatterSource))]
public sealed partial class Image
{
    /// <summary>An HTML img element that contains the image as a data URI of its PNG, for notebooks and reports.</summary>
    public string ToHtml() =>
        $"<img src=\"data:image/png;base64,{Convert.ToBase64String(EncodePng())}\" width=\"{Width}\" height=\"{Height}\" alt=\"An image of "
            + $"{Width}×{Height} pixels\">";
}
