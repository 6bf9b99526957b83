using System.Buffers.Binary;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>The first chunk of a PNG file.</summary>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="BitsPerPixel">Bits of all channels.</param>
/// <param name="Interlaced">Whether the pixels are stored in seven passes.</param>
internal sealed record PngHeader(int Width, int Height, int BitsPerPixel, bool Interlaced)
{
    // First column and row, steps to the next ones, of each of Adam7's passes.
    private static readonly (int X, int Y, int StepX, int StepY)[] Passes =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <summary>Length of the inflated pixel data: each row of each pass begins with a byte that names its filter.</summary>
    public long InflatedBytes => Interlaced
        ? Passes.Sum(p => PassBytes((Width - p.X + p.StepX - 1) / p.StepX, (Height - p.Y + p.StepY - 1) / p.StepY))
        : PassBytes(Width, Height);

    /// <summary>Reads and checks IHDR.</summary>
    /// <exception cref="InvalidDataException">It is missing, or has values that PNG does not define, or too many pixels.</exception>
    public static PngHeader Read(IReadOnlyList<PngChunk> chunks)
    {
        if (chunks[0].Type != "IHDR" || chunks[0].Data.Length != 13) throw new InvalidDataException("its first chunk is not a header");
        var data = chunks[0].Data.Span;
        uint width = BinaryPrimitives.ReadUInt32BigEndian(data), height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        if (width == 0 || height == 0 || (ulong)width * height > Image.MaxPixels)
            throw new InvalidDataException($"its size {width}×{height} is not from 1 to {Image.MaxPixels} pixels");
        int depth = data[8], channels = data[9] switch { 0 or 3 => 1, 2 => 3, 4 => 2, 6 => 4, _ => 0 };
        bool known = data[9] switch { 0 => depth is 1 or 2 or 4 or 8 or 16, 3 => depth is 1 or 2 or 4 or 8, _ => depth is 8 or 16 };
        if (channels == 0 || !known || data[12] > 1)
            throw new InvalidDataException(
                $"its header names colour type {data[9]}, depth {depth}, interlacing {data[12]}, which PNG does not have");
        return new PngHeader((int)width, (int)height, channels * depth, data[12] == 1);
    }

    private long PassBytes(int width, int height) => width < 1 || height < 1 ? 0 : height * (1 + ((long)width * BitsPerPixel + 7) / 8);
}
