using System.IO.Compression;
using System.Text;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// Reads text chunks of a PNG file. The decoder would inflate compressed ones without limit, and refuse an image for a malformed one.
/// </summary>
internal static class PngText
{
    /// <summary>Keyword of the text that AUTOMATIC1111 introduced.</summary>
    public const string Parameters = "parameters";

    /// <summary>Keyword of the whole request as JSON.</summary>
    public const string Request = "ilgpudiffusion";

    private const int MaxInflated = 1 << 20;

    /// <summary>
    /// The first text of a keyword, at most 1 MiB of it, or null. Malformed text chunks are skipped, since they are not part of the image.
    /// </summary>
    public static string? Find(IEnumerable<PngChunk> chunks, string keyword)
    {
        foreach (var chunk in chunks)
        {
            var data = chunk.Data.Span;
            int end = data.IndexOf((byte)0);
            if (end < 0 || Encoding.Latin1.GetString(data[..end]) != keyword) continue;
            if ((chunk.Type == "tEXt" ? Encoding.Latin1.GetString(Bounded(data[(end + 1)..])) : chunk.Type == "iTXt"
                ? International(data[(end + 1)..]) : null) is { } text) return text;
        }

        return null;
    }

    private static string? International(ReadOnlySpan<byte> data)
    {
        if (data.Length < 2) return null;
        bool compressed = data[0] == 1;
        data = data[2..];
        for (int skip = 0; skip < 2; skip++) // language, translated keyword
        {
            int end = data.IndexOf((byte)0);
            if (end < 0) return null;
            data = data[(end + 1)..];
        }

        return compressed ? Inflate(data.ToArray()) : Encoding.UTF8.GetString(Bounded(data));
    }

    private static ReadOnlySpan<byte> Bounded(ReadOnlySpan<byte> text) => text[..Math.Min(text.Length, MaxInflated)];

    private static string? Inflate(byte[] data)
    {
        try
        {
            using var inflater = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress);
            byte[] text = new byte[MaxInflated];
            int length = inflater.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            return Encoding.UTF8.GetString(text, 0, length);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
