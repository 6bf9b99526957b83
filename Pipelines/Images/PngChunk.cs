using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>One chunk of a PNG file: length, four letters, data, checksum over letters and data.</summary>
internal readonly record struct PngChunk(string Type, ReadOnlyMemory<byte> Data)
{
    /// <summary>The eight bytes at the start of every PNG file.</summary>
    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    private const int Overhead = 12;

    /// <summary>Size of the chunk in a file, in bytes.</summary>
    public int Size => Data.Length + Overhead;

    /// <summary>Whether a file starts as a PNG file does.</summary>
    public static bool IsPng(ReadOnlySpan<byte> file) => file.StartsWith(Signature);

    /// <summary>The chunks up to and including IEND.</summary>
    /// <exception cref="InvalidDataException">A chunk is truncated or its checksum is wrong, or IEND is missing.</exception>
    public static List<PngChunk> ReadAll(ReadOnlyMemory<byte> file)
    {
        var chunks = new List<PngChunk>();
        for (int at = Signature.Length; at <= file.Length - Overhead;)
        {
            var span = file.Span[at..];
            uint length = BinaryPrimitives.ReadUInt32BigEndian(span);
            string type = Encoding.Latin1.GetString(span.Slice(4, 4));
            if (length > span.Length - Overhead)
                throw new InvalidDataException($"chunk '{type}' at byte {at} says {length} bytes; {span.Length - Overhead} are left");
            int size = (int)length;
            if (BinaryPrimitives.ReadUInt32BigEndian(span[(8 + size)..]) != Crc32.HashToUInt32(span.Slice(4, 4 + size)))
                throw new InvalidDataException($"chunk '{type}' at byte {at} is damaged: its check sum is wrong");
            chunks.Add(new PngChunk(type, file.Slice(at + 8, size)));
            if (type == "IEND") return chunks;
            at += size + Overhead;
        }

        throw new InvalidDataException("it ends before its last chunk");
    }

    /// <summary>Writes the chunk with its checksum.</summary>
    public void Write(Stream stream)
    {
        byte[] bytes = new byte[Size];
        BinaryPrimitives.WriteInt32BigEndian(bytes, Data.Length);
        Encoding.Latin1.GetBytes(Type, bytes.AsSpan(4));
        Data.Span.CopyTo(bytes.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(8 + Data.Length), Crc32.HashToUInt32(bytes.AsSpan(4, 4 + Data.Length)));
        stream.Write(bytes);
    }
}
