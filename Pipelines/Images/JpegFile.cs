using System.Buffers.Binary;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// Checks JPEG files before they are decoded: ImageSharp 2.1 takes missing pixels for grey ones, and works through any number of scans over
/// any size. Finds their EXIF block.
/// </summary>
internal static class JpegFile
{
    private const byte Mark = 0xFF, StartOfScan = 0xDA, EndOfImage = 0xD9, App1 = 0xE1;
    private const int MostScans = 256; // encoders write about ten

    // An 8×8 block takes a bit or more in Huffman codes, which is 512 pixels per byte; twice that, as no component needs full resolution.
    private const int MostPixelsPerByte = 1024;

    /// <summary>Whether a file starts as a JPEG file does.</summary>
    public static bool IsJpeg(ReadOnlySpan<byte> file) => file is [Mark, 0xD8, Mark, ..];

    /// <summary>Checks that the file has pixels and an end.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static CheckedFile Check(byte[] file)
    {
        var exif = ReadOnlySpan<byte>.Empty;
        // Segments: FF, marker, length including its own two bytes.
        int at = 2;
        while (at + 4 <= file.Length && file[at] == Mark && file[at + 1] != StartOfScan)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(at + 2));
            if (length < 2 || at + 2 + length > file.Length) break;
            var segment = file.AsSpan(at + 4, length - 2);
            if (file[at + 1] == App1 && exif.IsEmpty && segment.StartsWith("Exif\0\0"u8)) exif = segment;
            at += 2 + length;
        }

        var rest = file.AsSpan(Math.Min(at, file.Length));
        int scans = rest.Count([Mark, StartOfScan]);
        if (scans == 0 || rest.LastIndexOf([Mark, EndOfImage]) < rest.IndexOf([Mark, StartOfScan]))
            throw new InvalidDataException("it is a JPEG file that ends early");
        if (scans > MostScans) throw new InvalidDataException($"it has {scans} scans; {MostScans} are accepted");
        var (parameters, request) = ExifTexts.Read(exif);
        return new CheckedFile(file, (long)MostPixelsPerByte * file.Length, parameters, request);
    }
}
