namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>A format of image files.</summary>
internal enum ImageFormat
{
    Png,
    Jpeg,
    Webp,
}

/// <summary>Which format a file name stands for.</summary>
internal static class ImageFormats
{
    /// <summary>The extensions for messages: <c>.png, .jpg, .jpeg or .webp</c>.</summary>
    public static string Extensions => $"{string.Join(", ", Image.FileExtensions.SkipLast(1))} or {Image.FileExtensions[^1]}";

    /// <summary>The format of a name's extension, or null.</summary>
    public static ImageFormat? Of(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".png" => ImageFormat.Png,
        ".jpg" or ".jpeg" => ImageFormat.Jpeg,
        ".webp" => ImageFormat.Webp,
        _ => null,
    };
}
