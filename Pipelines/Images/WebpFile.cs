using System.Buffers.Binary;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>Checks WebP files before they are decoded, and finds their EXIF block.</summary>
internal static class WebpFile
{
    private const int HeaderBytes = 12, ChunkHeaderBytes = 8;

    /// <summary>Whether a file starts as a WebP file does.</summary>
    public static bool IsWebp(ReadOnlySpan<byte> file) =>
        file.Length >= HeaderBytes && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8);

    /// <summary>Checks that the file is as long as it says.</summary>
    /// <exception cref="InvalidDataException">It is shorter.</exception>
    public static CheckedFile Check(byte[] file)
    {
        long length = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(4)) + (long)ChunkHeaderBytes;
        if (length > file.Length) throw new InvalidDataException($"it is a WebP file of {length} bytes that ends after {file.Length}");
        var exif = ReadOnlySpan<byte>.Empty;
        // Chunks: four letters, length, data, and a byte more where the length is odd.
        for (long at = HeaderBytes; at + ChunkHeaderBytes <= length && exif.IsEmpty;)
        {
            var chunk = file.AsSpan((int)at);
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            if (size > chunk.Length - ChunkHeaderBytes) break;
            if (chunk.StartsWith("EXIF"u8)) exif = chunk.Slice(ChunkHeaderBytes, (int)size);
            at += ChunkHeaderBytes + size + (size & 1);
        }

        var (parameters, request) = ExifTexts.Read(exif);
        return new CheckedFile(file, Image.MaxPixels, parameters, request);
    }
}
