using System.IO.Hashing;
using System.Text;

namespace ILGpuDiffusion.Compute;

/// <summary>The form of a cache file: mark, checksum of all that follows, key, content.</summary>
internal static class ArtifactFile
{
    private const int HashBytes = 16;
    private static readonly byte[] Mark = "ILGDKRN2"u8.ToArray();

    /// <summary>A whole file.</summary>
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

    /// <summary>The content of a file.</summary>
    /// <returns>Null where another key stands in the file: two keys of one name, which is as good as never.</returns>
    /// <exception cref="InvalidDataException">The file is cut short, changed, or something else.</exception>
    public static T? Unpack<T>(byte[] file, string key, Func<BinaryReader, T> read) where T : class
    {
        int start = Mark.Length + HashBytes;
        if (file.Length < start || !file.AsSpan(0, Mark.Length).SequenceEqual(Mark)) throw new InvalidDataException("it is no kernel file");
        if (!XxHash128.Hash(file.AsSpan(start)).AsSpan().SequenceEqual(file.AsSpan(Mark.Length, HashBytes))) throw new InvalidDataException("its checksum is wrong");
        using var reader = new BinaryReader(new MemoryStream(file, start, file.Length - start), Encoding.UTF8);
        return reader.ReadString() == key ? read(reader) : null;
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
        var language = (GpuLanguage)reader.ReadByte();
        string entry = reader.ReadString(), text = reader.ReadString();
        var parameters = new KernelParameter[reader.ReadInt32()];
        for (int i = 0; i < parameters.Length; i++) parameters[i] = new((KernelParameterKind)reader.ReadByte(), reader.ReadInt32());
        return new(language, entry, text, null, [.. parameters], SharedBytes: reader.ReadInt32(), GroupSize: reader.ReadInt32());
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
            SubGroups = (SubGroupKind)reader.ReadByte(),
            SubGroupSize = reader.ReadInt32(),
            Dot = (IntegerDotKind)reader.ReadByte(),
            MatrixUnit = (MatrixUnitKind)reader.ReadByte(),
            Matrix = (MatrixTypes)reader.ReadByte(),
            Standard = reader.ReadString(),
        };
        string[] failures = new string[reader.ReadInt32()];
        for (int i = 0; i < failures.Length; i++) failures[i] = reader.ReadString();
        return new(features, failures);
    }

    public static byte[] ReadRest(BinaryReader reader) => reader.ReadBytes(checked((int)(reader.BaseStream.Length - reader.BaseStream.Position)));
}
