using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>An image of 8-bit RGB pixels, with its generation parameters where they are known.</summary>
public sealed partial class Image
{
    /// <summary>The most pixels that a file may have: 64 Mi, such as 8192×8192.</summary>
    public const int MaxPixels = 1 << 26;

    private const int MaxFileBytes = 1 << 28;

    internal static IImageCodec Codec { get; } = new ImageCodec();

    /// <summary>Wraps pixels; the array is not copied.</summary>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="pixels">[height, width, 3], red first, top row first.</param>
    /// <exception cref="ArgumentException">A size is below 1, above <see cref="MaxPixels"/> in all, or the array's length is not height ·
    /// width · 3.</exception>
    public Image(int width, int height, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (width < 1 || height < 1 || (long)width * height > MaxPixels)
            throw new ArgumentException(
                $"An image of {width}×{height} is not possible; both must be at least 1 and the product at most {MaxPixels}.",
                    nameof(width));
        if (pixels.Length != width * height * 3)
            throw new ArgumentException(
                $"{pixels.Length} bytes are given for {width}×{height} RGB pixels; it must be {width * height * 3}.", nameof(pixels));
        (Width, Height, Pixels) = (width, height, pixels);
    }

    /// <summary>In pixels.</summary>
    public int Width { get; }

    /// <summary>In pixels.</summary>
    public int Height { get; }

    /// <summary>[height, width, 3], red first, top row first.</summary>
    public byte[] Pixels { get; }

    /// <summary>
    /// How the image was generated (<c>A1111Parameters</c>), kept in a PNG's text chunk <c>parameters</c>, and in the EXIF tag UserComment
    /// of a JPEG or WebP file; null when unknown.
    /// </summary>
    public string? Parameters { get; init; }

    /// <summary>
    /// The whole request as JSON (<c>GenerationMetadata</c>), kept in a PNG's text chunk <c>ilgpudiffusion</c>, and in the EXIF tag
    /// MakerNote of a JPEG or WebP file; null when unknown.
    /// </summary>
    public string? RequestJson { get; init; }

    /// <summary>Extensions of the files that can be read and written: of PNG, JPEG and WebP.</summary>
    public static IReadOnlyList<string> FileExtensions { get; } = [".png", ".jpg", ".jpeg", ".webp"];

    /// <summary>
    /// Reads a PNG, JPEG or WebP file of any mode. Transparency is dropped, grey becomes RGB, 16 bits become the upper 8, and the EXIF
    /// orientation is applied.
    /// </summary>
    /// <exception cref="ImageFileException">The file is missing, has none of these formats, is animated, is damaged or has too many pixels.
    /// </exception>
    public static Image Load(string path)
    {
        try
        {
            if (!File.Exists(path)) throw new ImageFileException(path, "the file does not exist.");
            return Decode(InputFile.ReadAllBytes(path, MaxFileBytes), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageFileException(path, $"cannot be read ({e.Message})", e);
        }
    }

    /// <summary>As <see cref="Load(string)"/>, from a file's bytes.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">Name for messages.</param>
    /// <exception cref="ImageFileException">As <see cref="Load(string)"/>.</exception>
    public static Image Decode(byte[] file, string name)
    {
        ArgumentNullException.ThrowIfNull(file);
        return Codec.Decode(file, name);
    }

    /// <summary>
    /// The image as a PNG file, with <see cref="Parameters"/> and <see cref="RequestJson"/> in text chunks where they are set.
    /// </summary>
    public byte[] EncodePng() => Codec.Encode(this, ImageFormat.Png);

    /// <summary>
    /// Writes a file in the format that its extension names (<see cref="FileExtensions"/>), atomically: on failure no new file is left, and
    /// an existing one is unchanged. Devices and pipes receive PNG.
    /// </summary>
    /// <exception cref="ImageFileException">The extension is another one, the format cannot hold the image or its settings, or the file
    /// cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var format = ImageFormats.Of(path) ?? (AtomicFile.IsDevice(path) ? ImageFormat.Png
            : throw new ImageFileException(path,
                $"images are written in the format of their extension; the name must end in {ImageFormats.Extensions}."));
        try
        {
            byte[] file = Codec.Encode(this, format);
            AtomicFile.Write(path, stream => stream.Write(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new ImageFileException(path, $"cannot be written ({e.Message.TrimEnd('.')})", e);
        }
    }
}
