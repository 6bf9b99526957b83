namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>Reads and writes image files; the only interface to the library behind it.</summary>
internal interface IImageCodec
{
    /// <summary>Reads a PNG or JPEG file into RGB.</summary>
    /// <exception cref="ImageFileException">The bytes are not such a file, are damaged, or have more than <see cref="Image.MaxPixels"/>
    /// pixels.</exception>
    Image Decode(byte[] file, string name);

    /// <summary>Encodes a PNG file without text chunks.</summary>
    byte[] EncodePng(Image image);
}
