namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>Reads and writes image files. The one place to exchange the library that does it.</summary>
internal interface IImageCodec
{
    /// <summary>Reads a PNG or JPEG file into RGB.</summary>
    /// <exception cref="ImageFileException">The bytes are no such file, are damaged, or have more than <see cref="Image.MaxPixels"/> pixels.</exception>
    Image Decode(byte[] file, string name);

    /// <summary>A PNG file without text chunks.</summary>
    byte[] EncodePng(Image image);
}
