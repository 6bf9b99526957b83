using System.Buffers.Binary;
using System.Text;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// An image's texts in an EXIF block: AUTOMATIC1111's parameters in UserComment (<c>UNICODE\0</c>, then UTF-16 with the high byte first, as
/// that program writes it), the request as JSON in MakerNote (<c>ilgpudiffusion\0</c>, then UTF-8). ImageSharp 2.1 reads and writes UTF-16
/// with the low byte first, where letters such as 'ß' become halves of surrogate pairs and are lost, so the comment's bytes are read and
/// put in place here.
/// </summary>
internal static class ExifTexts
{
    private const ushort ExifDirectory = 0x8769, UserComment = 0x9286, MakerNote = 0x927C;
    private const int EntryBytes = 12, CodeBytes = 8, MostBytes = 1 << 20;

    private static ReadOnlySpan<byte> Unicode => "UNICODE\0"u8;

    private static ReadOnlySpan<byte> Maker => "ilgpudiffusion\0"u8;

    /// <summary>The texts of an EXIF block, each null where it is missing or malformed.</summary>
    public static (string? Parameters, string? Request) Read(ReadOnlySpan<byte> block)
    {
        if (block.StartsWith("Exif\0\0"u8)) block = block[6..];
        if (block.Length < 8) return default;
        bool little = block[0] == 'I';
        if (Find(block, little, Long(block[4..], little), ExifDirectory) is not { } directory) return default;
        var request = Data(block, Find(block, little, directory.Value, MakerNote));
        return (Comment(Data(block, Find(block, little, directory.Value, UserComment))),
            request.StartsWith(Maker) ? Encoding.UTF8.GetString(request[Maker.Length..]) : null);
    }

    /// <summary>A profile with the texts, whose comment <see cref="Fill"/> completes once it is encoded; null without texts.</summary>
    public static ExifProfile? Profile(Image image)
    {
        if (image.Parameters is null && image.RequestJson is null) return null;
        var profile = new ExifProfile();
        if (image.Parameters is { } text)
            profile.SetValue(ExifTag.UserComment, new EncodedString(EncodedString.CharacterCode.Unicode, Placeholder(text)));
        if (image.RequestJson is { } json) profile.SetValue(ExifTag.MakerNote, [.. Maker, .. Encoding.UTF8.GetBytes(json)]);
        return profile;
    }

    /// <summary>Writes the comment over its placeholder in an encoded file.</summary>
    public static void Fill(Span<byte> file, string text)
    {
        byte[] placeholder = [.. Unicode, .. Encoding.Unicode.GetBytes(Placeholder(text))];
        int at = file.IndexOf(placeholder);
        if (at < 0) throw new InvalidOperationException("The encoder wrote no EXIF comment.");
        Encoding.BigEndianUnicode.GetBytes(text, file.Slice(at + CodeBytes, text.Length * 2));
    }

    private static string Placeholder(string text) => new('_', text.Length);

    // As other programs write it too: ASCII or UTF-8 with a code that says so, UTF-16 of either order.
    private static string? Comment(ReadOnlySpan<byte> data)
    {
        if (data.Length < CodeBytes) return null;
        var text = data[CodeBytes..];
        if (!data.StartsWith(Unicode)) return data.StartsWith("ASCII\0\0\0"u8) || data[..CodeBytes].IndexOfAnyExcept((byte)0) < 0
            ? Encoding.UTF8.GetString(text).TrimEnd('\0') : null;
        // Nearly all texts have spaces and digits, whose high byte is 0.
        int zerosFirst = 0, zerosSecond = 0;
        for (int i = 0; i + 1 < text.Length; i += 2)
        {
            if (text[i] == 0) zerosFirst++;
            if (text[i + 1] == 0) zerosSecond++;
        }

        return (zerosFirst >= zerosSecond ? Encoding.BigEndianUnicode : Encoding.Unicode).GetString(text);
    }

    // TIFF: byte order, 42, offset of a list of 12-byte entries (tag, type, count, value or offset).
    private static (uint Count, uint Value)? Find(ReadOnlySpan<byte> block, bool little, uint list, ushort tag)
    {
        if (list > block.Length - 2) return null;
        int entries = Short(block[(int)list..], little);
        for (int at = (int)list + 2; entries > 0 && at + EntryBytes <= block.Length; entries--, at += EntryBytes)
            if (Short(block[at..], little) == tag) return (Long(block[(at + 4)..], little), Long(block[(at + 8)..], little));
        return null;
    }

    private static ReadOnlySpan<byte> Data(ReadOnlySpan<byte> block, (uint Count, uint Value)? entry) =>
        entry is (var count, var offset) && offset <= block.Length && count <= block.Length - offset
            ? block.Slice((int)offset, (int)Math.Min(count, MostBytes)) : default;

    private static ushort Short(ReadOnlySpan<byte> data, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(data) : BinaryPrimitives.ReadUInt16BigEndian(data);

    private static uint Long(ReadOnlySpan<byte> data, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(data) : BinaryPrimitives.ReadUInt32BigEndian(data);
}
