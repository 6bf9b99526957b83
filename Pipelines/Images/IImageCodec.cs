namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>Reads and writes image files; the only interface to the library behind it.</summary>
internal interface IImageCodec
{
    /// <summary>Reads a PNG, JPEG or WebP file into RGB, with its texts.</summary>
    /// <exception cref="ImageFileException">The bytes are not such a file, are damaged, or have more than <see cref="Image.MaxPixels"/>
    /// pixels.</exception>
    Image Decode(byte[] file, string name);

    /// <summary>Encodes a file with the image's texts. Equal images give equal bytes.</summary>
    /// <exception cref="InvalidDataException">The format cannot hold an image of this size, or its texts.</exception>
    byte[] Encode(Image image, ImageFormat format);
}
