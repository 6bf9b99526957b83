using System.IO.Hashing;
using System.Text;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The format of a cache file: magic number, checksum of the rest, key, content.</summary>
internal static class ArtifactFile
{
    private const int HashBytes = 16;
    private static readonly byte[] Mark = "ILGDKRN2"u8.ToArray();

    /// <summary>Serialises a file.</summary>
    public static byte[] Pack(string key, Action<BinaryWriter> write)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(Mark);
        writer.Write(new byte[HashBytes]);
        writer.Write(key);
        write(writer);
        writer.Flush();
        byte[] file = stream.ToArray();
        XxHash128.Hash(file.AsSpan(Mark.Length + HashBytes), file.AsSpan(Mark.Length, HashBytes));
        return file;
    }

    /// <summary>Reads the content of a file.</summary>
    /// <returns>Null if the file has another key: a hash collision of file names.</returns>
    /// <exception cref="InvalidDataException">The file is truncated, damaged, or has another format.</exception>
    public static T? Unpack<T>(byte[] file, string key, Func<BinaryReader, T> read) where T : class
    {
        int start = Mark.Length + HashBytes;
        if (file.Length < start || !file.AsSpan(0, Mark.Length).SequenceEqual(Mark))
            throw new InvalidDataException("it is not a kernel file");
        if (!XxHash128.Hash(file.AsSpan(start)).AsSpan().SequenceEqual(file.AsSpan(Mark.Length, HashBytes)))
            throw new InvalidDataException("its checksum is wrong");
        using var reader = new BinaryReader(new MemoryStream(file, start, file.Length - start), Encoding.UTF8);
        try
        {
            return reader.ReadString() == key ? read(reader) : null;
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"its content cannot be read: {e.Message}", e);
        }
    }

    // Checks the count, so that no more is allocated than the file can hold.
    private static int ReadCount(BinaryReader reader, int leastBytesOfEach)
    {
        int count = reader.ReadInt32();
        long rest = reader.BaseStream.Length - reader.BaseStream.Position;
        bool fits = count >= 0 && (long)count * leastBytesOfEach <= rest;
        return fits ? count : throw new InvalidDataException($"it counts {count} entries in {rest} bytes");
    }

    private static T Known<T>(byte value) where T : struct, Enum
    {
        var known = (T)Enum.ToObject(typeof(T), value);
        return Enum.IsDefined(known) ? known : throw new InvalidDataException($"{value} is no {typeof(T).Name}");
    }

    private static int ReadSize(BinaryReader reader, int least)
    {
        int size = reader.ReadInt32();
        return size >= least ? size : throw new InvalidDataException($"a size is {size}");
    }

    public static void WriteArtifact(BinaryWriter writer, KernelArtifact artifact)
    {
        writer.Write((byte)artifact.Language);
        writer.Write(artifact.Entry);
        writer.Write(artifact.Text);
        writer.Write(artifact.Parameters.Length);
        foreach (var parameter in artifact.Parameters)
        {
            writer.Write((byte)parameter.Kind);
            writer.Write(parameter.ElementBytes);
        }

        writer.Write(artifact.SharedBytes);
        writer.Write(artifact.GroupSize);
    }

    public static KernelArtifact ReadArtifact(BinaryReader reader)
    {
        var language = Known<GpuLanguage>(reader.ReadByte());
        string entry = reader.ReadString(), text = reader.ReadString();
        var parameters = new KernelParameter[ReadCount(reader, sizeof(byte) + sizeof(int))];
        for (int i = 0; i < parameters.Length; i++)
            parameters[i] = new(Known<KernelParameterKind>(reader.ReadByte()), ReadSize(reader, least: 1));
        return new(language, entry, text, null, [.. parameters], SharedBytes: ReadSize(reader, least: 0),
            GroupSize: ReadSize(reader, least: 1));
    }

    public static void WriteProbed(BinaryWriter writer, ProbedFeatures probed)
    {
        var features = probed.Features;
        writer.Write((byte)features.SubGroups);
        writer.Write(features.SubGroupSize);
        writer.Write((byte)features.Dot);
        writer.Write((byte)features.MatrixUnit);
        writer.Write((byte)features.Matrix);
        writer.Write(features.Standard);
        writer.Write(probed.Failures.Count);
        foreach (string failure in probed.Failures) writer.Write(failure);
    }

    public static ProbedFeatures ReadProbed(BinaryReader reader)
    {
        var features = new GpuFeatures
        {
            SubGroups = Known<SubGroupKind>(reader.ReadByte()),
            SubGroupSize = ReadSize(reader, least: 0),
            Dot = Known<IntegerDotKind>(reader.ReadByte()),
            MatrixUnit = Known<MatrixUnitKind>(reader.ReadByte()),
            Matrix = (MatrixTypes)reader.ReadByte(),
            Standard = reader.ReadString(),
        };
        string[] failures = new string[ReadCount(reader, sizeof(byte))];
        for (int i = 0; i < failures.Length; i++) failures[i] = reader.ReadString();
        return new(features, failures);
    }

    public static byte[] ReadRest(BinaryReader reader) =>
        reader.ReadBytes(checked((int)(reader.BaseStream.Length - reader.BaseStream.Position)));
}
