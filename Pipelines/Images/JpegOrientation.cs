using System.Buffers.Binary;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>Camera orientation: the tag 0x0112 of a JPEG's Exif block, which diffusers' load_image applies too.</summary>
internal static class JpegOrientation
{
    private const ushort Tag = 0x0112;

    /// <summary>1 (upright) to 8; 1 where the file does not have it.</summary>
    public static int Read(ReadOnlySpan<byte> file)
    {
        // Segments: FF, marker, length including its own two bytes. Exif precedes the pixels (marker DA).
        for (int at = 2; at + 4 <= file.Length && file[at] == 0xFF && file[at + 1] != 0xDA;)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            if (length < 2 || at + 2 + length > file.Length) return 1;
            var segment = file.Slice(at + 4, length - 2);
            if (file[at + 1] == 0xE1 && segment.StartsWith("Exif\0\0"u8)) return ReadTiff(segment[6..]);
            at += 2 + length;
        }

        return 1;
    }

    /// <summary>Rotates and mirrors pixels so that the image is upright.</summary>
    public static (int Width, int Height, byte[] Pixels) Apply(int orientation, int width, int height, byte[] pixels)
    {
        if (orientation == 1) return (width, height, pixels);
        bool turned = orientation >= 5;
        var (newWidth, newHeight) = turned ? (height, width) : (width, height);
        byte[] result = new byte[pixels.Length];
        for (int y = 0; y < newHeight; y++)
            for (int x = 0; x < newWidth; x++)
            {
                var (fromX, fromY) = turned ? (y, x) : (x, y);
                if (orientation is 2 or 3 or 7 or 8) fromX = width - 1 - fromX;
                if (orientation is 3 or 4 or 6 or 7) fromY = height - 1 - fromY;
                pixels.AsSpan((fromY * width + fromX) * 3, 3).CopyTo(result.AsSpan((y * newWidth + x) * 3));
            }

        return (newWidth, newHeight, result);
    }

    // TIFF: byte order, 42, offset of a list of 12-byte entries (tag, type, count, value).
    private static int ReadTiff(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8) return 1;
        bool little = tiff[0] == 'I';
        uint list = little ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (list > tiff.Length - 2) return 1;
        int entries = Short(tiff, (int)list, little);
        for (int entry = 0; entry < entries; entry++)
        {
            int at = (int)list + 2 + entry * 12;
            if (at + 12 > tiff.Length) return 1;
            if (Short(tiff, at, little) == Tag) return Short(tiff, at + 8, little) is >= 1 and <= 8 and var value ? value : 1;
        }

        return 1;
    }

    private static int Short(ReadOnlySpan<byte> data, int at, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(data[at..]) : BinaryPrimitives.ReadUInt16BigEndian(data[at..]);
}
