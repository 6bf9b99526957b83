using System.IO.Compression;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// Checks PNG files before ImageSharp 2.1 decodes them. That library takes missing pixels for black ones, and never returns where they are
/// missing from an interlaced file; refuses pixel data that begins with an empty chunk; reads behind a short palette where interlaced; and
/// inflates texts without limit. It gets a file that has none of these: one header, a full palette, all pixel data in one chunk, and of the
/// other chunks those alone that say something about RGB pixels.
/// </summary>
internal static class PngFile
{
    private const int PaletteBytes = 256 * 3;
    private const int NarrowestInterlaced = 5; // ImageSharp 2.1 misplaces the rows of narrower ones, where some passes have no columns

    /// <summary>Checks chunks, header and length of the pixel data.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or has too many pixels.</exception>
    public static CheckedFile Check(byte[] file)
    {
        var chunks = PngChunk.ReadAll(file);
        var header = PngHeader.Read(chunks);
        if (header.Interlaced && header.Width < NarrowestInterlaced)
            throw new InvalidDataException(
                $"it is interlaced and {header.Width} pixels wide; interlaced images narrower than {NarrowestInterlaced} pixels cannot be "
                    + "read, so save it without interlacing");
        using var deflated = new MemoryStream();
        foreach (var chunk in chunks)
            if (chunk.Type == "IDAT") deflated.Write(chunk.Data.Span);
        CheckInflated(deflated, header.InflatedBytes);
        return new CheckedFile(Reduced(chunks, deflated.ToArray()), Image.MaxPixels, PngText.Find(chunks, PngText.Parameters),
            PngText.Find(chunks, PngText.Request));
    }

    private static byte[] Reduced(List<PngChunk> chunks, byte[] data)
    {
        using var file = new MemoryStream(data.Length + 4 * PaletteBytes);
        file.Write(PngChunk.Signature);
        chunks[0].Write(file);
        foreach (string type in (string[])["PLTE", "tRNS", "eXIf"])
            if (chunks.Find(c => c.Type == type) is { Type: not null } chunk)
                (type == "PLTE" ? chunk with { Data = Padded(chunk.Data) } : chunk).Write(file);
        new PngChunk("IDAT", data).Write(file);
        new PngChunk("IEND", default).Write(file);
        return file.ToArray();
    }

    private static byte[] Padded(ReadOnlyMemory<byte> palette)
    {
        byte[] full = new byte[PaletteBytes];
        palette[..Math.Min(palette.Length, PaletteBytes)].CopyTo(full);
        return full;
    }

    // Inflates the pixel data once to check its length against the header: 5 ms per megapixel, so that a small file cannot exhaust memory.
    private static void CheckInflated(MemoryStream deflated, long expected)
    {
        deflated.Position = 0;
        using var inflater = new ZLibStream(deflated, CompressionMode.Decompress, leaveOpen: true);
        byte[] buffer = new byte[1 << 16];
        long length = 0;
        for (int read; length <= expected + buffer.Length && (read = inflater.Read(buffer)) > 0;) length += read;
        // a little more than needed is harmless, and some encoders leave it
        if (length < expected || length > expected + buffer.Length)
            throw new InvalidDataException(
                $"its pixel data inflates to {(length < expected ? $"{length}" : "far more")} bytes; the header asks for {expected}");
    }
}
