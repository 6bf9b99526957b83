namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>A file that was checked for what the decoder takes on trust.</summary>
/// <param name="Bytes">What the decoder gets.</param>
/// <param name="MostPixels">How many pixels the header may promise.</param>
/// <param name="Parameters">The text of <see cref="Image.Parameters"/>.</param>
/// <param name="Request">The text of <see cref="Image.RequestJson"/>.</param>
internal readonly record struct CheckedFile(byte[] Bytes, long MostPixels, string? Parameters, string? Request)
{
    /// <summary>Checks a file of any of the formats.</summary>
    /// <exception cref="InvalidDataException">It is of none of them, or damaged.</exception>
    public static CheckedFile Of(byte[] file) => PngChunk.IsPng(file) ? PngFile.Check(file)
        : JpegFile.IsJpeg(file) ? JpegFile.Check(file)
        : WebpFile.IsWebp(file) ? WebpFile.Check(file)
        : throw new InvalidDataException("its first bytes are those of none");
}
