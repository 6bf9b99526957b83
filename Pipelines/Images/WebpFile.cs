using System.Buffers.Binary;
using System.Text;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// Checks WebP files before ImageSharp 2.1 decodes them, which takes what is there of a truncated file for the whole. It gets the image and
/// its EXIF block alone: other chunks say nothing of RGB pixels.
/// </summary>
internal static class WebpFile
{
    private const int HeaderBytes = 12, ChunkHeaderBytes = 8, ExtendedBytes = 10;
    private const byte HasExif = 8, IsAnimated = 2;

    /// <summary>Whether a file starts as a WebP file does.</summary>
    public static bool IsWebp(ReadOnlySpan<byte> file) =>
        file.Length >= HeaderBytes && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8);

    /// <summary>Checks the lengths of the file and its chunks, and that it is a still image.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or animated.</exception>
    public static CheckedFile Check(byte[] file)
    {
        var chunks = Chunks(file);
        var image = chunks.Find(c => c.Type is "VP8 " or "VP8L");
        ReadOnlyMemory<byte> extended = chunks.Find(c => c.Type == "VP8X").Data, exif = chunks.Find(c => c.Type == "EXIF").Data;
        if (extended.Length >= ExtendedBytes && (extended.Span[0] & IsAnimated) != 0)
            throw new InvalidDataException("it is animated; save one of its frames");
        if (image.Type is null) throw new InvalidDataException("it has no image");
        if (exif.Span.StartsWith("Exif\0\0"u8)) exif = exif[6..]; // as JPEG has it, and some programs write it here too
        using var reduced = new MemoryStream();
        reduced.Write([.. "RIFF\0\0\0\0WEBP"u8]);
        if (extended.Length >= ExtendedBytes && exif.Length > 0)
        {
            Write(reduced, "VP8X", (byte[])[HasExif, .. extended.Span[1..ExtendedBytes]]);
            Write(reduced, image.Type, image.Data);
            Write(reduced, "EXIF", exif);
        }
        else
        {
            Write(reduced, image.Type, image.Data);
        }

        byte[] bytes = reduced.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length - ChunkHeaderBytes);
        var (parameters, request) = ExifTexts.Read(exif.Span);
        return new CheckedFile(bytes, Image.MaxPixels, parameters, request);
    }

    // Chunks: four letters, length, data, and a byte more where the length is odd.
    private static List<(string Type, ReadOnlyMemory<byte> Data)> Chunks(byte[] file)
    {
        long length = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(4)) + (long)ChunkHeaderBytes;
        if (length > file.Length) throw new InvalidDataException($"its header says {length} bytes, and it ends after {file.Length}");
        var chunks = new List<(string, ReadOnlyMemory<byte>)>();
        for (long at = HeaderBytes; at + ChunkHeaderBytes <= length;)
        {
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan((int)at + 4));
            string type = Encoding.Latin1.GetString(file, (int)at, 4);
            if (size > length - at - ChunkHeaderBytes)
                throw new InvalidDataException($"chunk '{type}' at byte {at} says {size} bytes; {length - at - ChunkHeaderBytes} are left");
            chunks.Add((type, file.AsMemory((int)at + ChunkHeaderBytes, (int)size)));
            at += ChunkHeaderBytes + size + (size & 1);
        }

        return chunks;
    }

    private static void Write(MemoryStream stream, string type, ReadOnlyMemory<byte> data)
    {
        Span<byte> header = stackalloc byte[ChunkHeaderBytes];
        Encoding.Latin1.GetBytes(type, header);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], data.Length);
        stream.Write(header);
        stream.Write(data.Span);
        if (data.Length % 2 != 0) stream.WriteByte(0);
    }
}
