using System.IO.Compression;
using StbImageSharp;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// Decodes with StbImageSharp. That library trusts its input in places (at an early end it can loop forever, inflate without limit, and
/// leak when it fails), so PNG files are checked first: sizes, checksums, length of the inflated data; and no file can be read far past its
/// end. PNG is encoded by StbImageWriteSharp.
/// </summary>
internal sealed class ImageCodec : IImageCodec
{
    public byte[] EncodePng(Image image)
    {
        using var file = new MemoryStream();
        new StbImageWriteSharp.ImageWriter().WritePng(image.Pixels, image.Width, image.Height,
            StbImageWriteSharp.ColorComponents.RedGreenBlue, file);
        return file.ToArray();
    }

    public Image Decode(byte[] file, string name)
    {
        try
        {
            string? parameters = null, request = null;
            int orientation = 1;
            if (PngChunk.IsPng(file))
            {
                var chunks = PngChunk.ReadAll(file);
                CheckInflated(chunks);
                (parameters, request) = (PngText.Find(chunks, PngText.Parameters), PngText.Find(chunks, PngText.Request));
            }
            else if (file is [0xFF, 0xD8, 0xFF, ..])
            {
                CheckSize(ImageInfo.FromStream(new BoundedStream(file)) ?? throw new InvalidDataException("it has no JPEG header"));
                orientation = JpegOrientation.Read(file);
            }
            else
            {
                throw new InvalidDataException("its first bytes are those of neither");
            }

            var result = ImageResult.FromStream(new BoundedStream(file), ColorComponents.RedGreenBlue);
            var (width, height, pixels) = JpegOrientation.Apply(orientation, result.Width, result.Height, result.Data);
            return new Image(width, height, pixels) { Parameters = parameters, RequestJson = request };
        }
        catch (Exception e) when (e is not OutOfMemoryException) // what the library throws at damaged input is of many types
        {
            throw new ImageFileException(name, $"is not a whole PNG or JPEG image ({e.Message.TrimEnd('.')}).", e);
        }
    }

    private static void CheckSize(ImageInfo info)
    {
        if (info.Width < 1 || info.Height < 1 || (long)info.Width * info.Height > Image.MaxPixels)
            throw new InvalidDataException($"its size {info.Width}×{info.Height} is not from 1 to {Image.MaxPixels} pixels");
    }

    // Inflates the pixel data once to check its length against the header: 5 ms per megapixel, so that a small file cannot exhaust memory.
    private static void CheckInflated(IReadOnlyList<PngChunk> chunks)
    {
        var header = PngHeader.Read(chunks);
        using var deflated = new MemoryStream();
        foreach (var chunk in chunks)
            if (chunk.Type == "IDAT") deflated.Write(chunk.Data.Span);
        deflated.Position = 0;
        using var inflater = new ZLibStream(deflated, CompressionMode.Decompress);
        byte[] buffer = new byte[1 << 16];
        long length = 0;
        for (int read; length <= header.InflatedBytes + buffer.Length && (read = inflater.Read(buffer)) > 0;) length += read;
        // a little more than needed is harmless, and some encoders leave it
        if (length < header.InflatedBytes || length > header.InflatedBytes + buffer.Length)
            throw new InvalidDataException(
                $"its pixel data inflates to {(length < header.InflatedBytes ? $"{length}" : "far more")} bytes; the header asks for "
                    + $"{header.InflatedBytes}");
    }

    /// <summary>Throws when it is read repeatedly past its end, instead of returning nothing forever.</summary>
    private sealed class BoundedStream(byte[] file) : MemoryStream(file, writable: false)
    {
        private int readsPastEnd;

        public override int ReadByte()
        {
            int value = base.ReadByte();
            if (value < 0) CountPastEnd();
            return value;
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            int read = base.Read(buffer, offset, count);
            if (read == 0 && count > 0) CountPastEnd();
            return read;
        }

        private void CountPastEnd()
        {
            if (++readsPastEnd > 4096) throw new EndOfStreamException("it ends early");
        }
    }
}
