using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// The format of a pack (Compute/README.md): mark, version, SHA-256 of the rest, size of the content, and the content in Brotli: size of
/// the manifest, the manifest in JSON, then texts and binaries.
/// </summary>
internal static class PackFile
{
    /// <summary>The version that is read and written.</summary>
    public const int Version = 1;

    /// <summary>Largest file and largest content in bytes.</summary>
    public const int MostFileBytes = 64 << 20, MostContentBytes = 256 << 20;

    /// <summary>Bytes before the content; bytes that the hash does not cover.</summary>
    public const int HeadBytes = HashedFrom + sizeof(long), HashedFrom = 48;

    private const int HashFrom = 16, Quality = 9, Window = 24;
    private static readonly byte[] Mark = "ILGDPACK"u8.ToArray();

    /// <summary>Whether a file begins as a pack does.</summary>
    public static bool IsPack(ReadOnlySpan<byte> start) => start.StartsWith(Mark);

    /// <summary>Serialises a pack. Equal contents give equal files.</summary>
    public static byte[] Write(PackManifest manifest, IReadOnlyList<byte[]> blobs)
    {
        byte[] head = JsonSerializer.SerializeToUtf8Bytes(manifest, PackJson.Default.PackManifest);
        byte[] content = [.. BitConverter.GetBytes(head.Length), .. head, .. blobs.SelectMany(blob => blob)];
        byte[] file = new byte[HeadBytes + BrotliEncoder.GetMaxCompressedLength(content.Length)];
        Mark.CopyTo(file, 0);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(Mark.Length), Version);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(HashedFrom), content.Length);
        if (!BrotliEncoder.TryCompress(content, file.AsSpan(HeadBytes), out int written, Quality, Window))
            throw new InvalidOperationException($"{content.Length} bytes cannot be compressed.");
        file = file[..(HeadBytes + written)];
        SHA256.HashData(file.AsSpan(HashedFrom), file.AsSpan(HashFrom, SHA256.HashSizeInBytes));
        return file;
    }

    /// <summary>Reads a pack's bytes. Every size is checked against what is there.</summary>
    /// <returns>The manifest, the content, and where in it each text or binary begins.</returns>
    /// <exception cref="FormatException">It is no pack, is damaged, or has another version; the message is the rest of a
    /// sentence.</exception>
    public static (PackManifest Manifest, byte[] Content, int[] Starts) Read(byte[] file)
    {
        if (!IsPack(file)) throw new FormatException("it is not a kernel pack");
        if (file.Length < HeadBytes) throw new FormatException($"it is truncated: it has {file.Length} bytes");
        long version = BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(Mark.Length));
        if (version != Version) throw new FormatException($"its format has version {version}; this program reads version {Version}");
        if (!SHA256.HashData(file.AsSpan(HashedFrom)).AsSpan().SequenceEqual(file.AsSpan(HashFrom, SHA256.HashSizeInBytes)))
            throw new FormatException("it is damaged or truncated: its checksum is wrong");
        byte[] content = Decompress(file);
        int bytes = content.Length < sizeof(int) ? -1 : BinaryPrimitives.ReadInt32LittleEndian(content);
        if (bytes < 0 || bytes > content.Length - sizeof(int)) throw new FormatException("its manifest is longer than its content");
        var manifest = Parse(content.AsSpan(sizeof(int), bytes));
        int[] starts = new int[manifest.Blobs.Count + 1];
        starts[0] = sizeof(int) + bytes;
        for (int i = 0; i < manifest.Blobs.Count; i++)
        {
            int size = manifest.Blobs[i];
            if (size < 0 || size > content.Length - starts[i]) throw new FormatException($"part {i} has {size} bytes, which are not there");
            starts[i + 1] = starts[i] + size;
        }

        return starts[^1] == content.Length ? (manifest, content, starts)
            : throw new FormatException($"{content.Length - starts[^1]} bytes follow its last part");
    }

    private static PackManifest Parse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return JsonSerializer.Deserialize(utf8, PackJson.Default.PackManifest) is { IsSound: true } manifest ? manifest
                : throw new FormatException("its manifest lacks a value or has an impossible one");
        }
        catch (JsonException e)
        {
            throw new FormatException($"its manifest is not the expected JSON: {e.Message}", e);
        }
    }

    // The buffer grows with what arrives, so that a large size in a small file takes no memory.
    private static byte[] Decompress(byte[] file)
    {
        long size = BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(HashedFrom));
        if (size is < 0 or > MostContentBytes)
            throw new FormatException($"its content has {size} bytes, where {MostContentBytes} are most");
        using var content = new MemoryStream();
        try
        {
            using var brotli = new BrotliStream(new MemoryStream(file, HeadBytes, file.Length - HeadBytes), CompressionMode.Decompress);
            byte[] buffer = new byte[1 << 16];
            while (brotli.Read(buffer) is > 0 and var read)
            {
                content.Write(buffer, 0, read);
                if (content.Length > size) break;
            }
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException or IOException)
        {
            throw new FormatException($"its content cannot be decompressed: {e.Message}", e);
        }

        return content.Length == size ? content.ToArray()
            : throw new FormatException($"its content has {content.Length} bytes or more, where {size} are declared");
    }
}
