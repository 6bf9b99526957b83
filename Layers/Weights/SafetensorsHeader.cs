using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// Parses and checks the header of a safetensors file: 8 bytes of length (little endian), then that many bytes of JSON, then the tensors'
/// data. The input is untrusted: for any bytes, the outcome is a checked header or one <see cref="ModelFileException"/>.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>Bytes before the JSON.</summary>
    public const int LengthBytes = 8;

    /// <summary>The format's own limit on the JSON's length.</summary>
    public const int MaxJsonBytes = 100_000_000;

    private const int MaxRank = 32;
    private const long MaxElements = 1L << 48;

    private readonly Dictionary<string, SafetensorsEntry> entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> metadata = new(StringComparer.Ordinal);
    private readonly string file;

    private SafetensorsHeader(string file) => this.file = file;

    /// <summary>The tensors by name, in the order of the file.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => entries;

    /// <summary>The strings of <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => metadata;

    /// <summary>The JSON's length from the first 8 bytes, checked against the file's length.</summary>
    public static int JsonLength(ReadOnlySpan<byte> start, long fileBytes, string file)
    {
        if (fileBytes < LengthBytes)
            throw new ModelFileException(file,
                $"has {fileBytes} bytes; a safetensors file has at least {LengthBytes} (is the download complete?).");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (length > MaxJsonBytes)
            throw new ModelFileException(file,
                $"the header claims {length} bytes; at most {MaxJsonBytes} are allowed (is this a safetensors file?).");
        if ((long)length > fileBytes - LengthBytes)
            throw new ModelFileException(file,
                $"the header claims {length} bytes, but only {fileBytes - LengthBytes} follow (is the download complete?).");
        return (int)length;
    }

    /// <summary>Parses the JSON and checks every tensor against the bytes that follow it.</summary>
    /// <param name="json">The JSON part.</param>
    /// <param name="fileBytes">Length of the whole file.</param>
    /// <param name="file">File name for messages.</param>
    /// <exception cref="ModelFileException">The header violates the format.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long fileBytes, string file)
    {
        var header = new SafetensorsHeader(file);
        if (json.Length == 0 || json[0] != '{')
            throw new ModelFileException(file, "the header must be a JSON object and begin with '{' (is this a safetensors file?).");
        if (!Utf8.IsValid(json)) throw new ModelFileException(file, "the header is not valid UTF-8.");
        try
        {
            header.ReadObject(json, LengthBytes + json.Length);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: an invalid escape
        {
            throw new ModelFileException(file, $"the header is not valid JSON ({e.Message})", e);
        }

        header.CheckLayout(LengthBytes + json.Length, fileBytes);
        return header;
    }

    private void ReadObject(ReadOnlySpan<byte> json, long dataStart)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 16 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (name == "__metadata__") ReadMetadata(ref reader);
            else if (!entries.TryAdd(name, ReadEntry(ref reader, name, dataStart)))
                throw Wrong(name, "appears twice; names must be unique.");
        }

        while (reader.Read()) { } // throws if anything follows the object
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw new ModelFileException(file, "__metadata__ must be an object of strings.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw new ModelFileException(file, $"__metadata__ {Text.Quote(key)} must be a string.");
            if (!metadata.TryAdd(key, reader.GetString()!))
                throw new ModelFileException(file, $"__metadata__ {Text.Quote(key)} appears twice.");
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name, long dataStart)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw Wrong(name, "must be an object with dtype, shape and data_offsets.");
        string? type = null;
        long[]? sizes = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            if (key is "dtype" ? type is not null : key is "shape" ? sizes is not null : key is "data_offsets" && offsets is not null)
                throw Wrong(name, $"gives {key} twice.");
            if (key == "dtype")
                type = reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw Wrong(name, "dtype must be a string.");
            else if (key == "shape") sizes = ReadIntegers(ref reader, name, key, MaxRank);
            else if (key == "data_offsets") offsets = ReadIntegers(ref reader, name, key, 2);
            else reader.Skip(); // the reference reader ignores unknown keys too
        }

        if (type is null || sizes is null || offsets is null)
            throw Wrong(name, $"has no {(type is null ? "dtype" : sizes is null ? "shape" : "data_offsets")}.");
        if (offsets.Length != 2) throw Wrong(name, $"data_offsets has {offsets.Length} numbers; it must have 2.");
        if (offsets[0] > offsets[1]) throw Wrong(name, $"begins at {offsets[0]}, behind its end at {offsets[1]}.");
        var shape = CheckSize(name, type, sizes, offsets[1] - offsets[0]);
        return new SafetensorsEntry(name, type, shape, offsets[0] <= long.MaxValue - dataStart ? dataStart + offsets[0] : long.MaxValue,
            offsets[1] - offsets[0]);
    }

    private Shape CheckSize(string name, string type, long[] sizes, long bytes)
    {
        int bits = SafetensorsTypes.Bits(type);
        if (bits == 0) throw Wrong(name, $"has the unknown dtype {Text.Quote(type)}; known are {SafetensorsTypes.All}.");
        string shape = $"[{string.Join(", ", sizes)}]";
        long count = 1;
        foreach (long size in sizes)
        {
            // Rows are counted in 32 bits, even if a later size of 0 makes the tensor empty.
            if (size > int.MaxValue || count > int.MaxValue || (size > 0 && count > MaxElements / size))
                throw Wrong(name, $"has the shape {shape}, which is larger than a tensor can be.");
            count *= size;
        }

        if (count * bits % 8 != 0) throw Wrong(name, $"has {count} elements of {type}, which do not fill whole bytes.");
        if (count * bits / 8 != bytes) throw Wrong(name, $"has {bytes} bytes; {type} {shape} needs {count * bits / 8}.");
        return Shape.Create([.. sizes.Select(size => (int)size)]);
    }

    private long[] ReadIntegers(ref Utf8JsonReader reader, string name, string key, int most)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Wrong(name, $"{key} must be a list of integers.");
        var values = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long value) || value < 0)
                throw Wrong(name, $"{key} must hold integers from 0 to {long.MaxValue} only.");
            if (values.Count == most) throw Wrong(name, $"{key} has more than {most} numbers.");
            values.Add(value);
        }

        return [.. values];
    }

    /// <summary>The tensors must fill the data part exactly: in range, without overlaps or gaps.</summary>
    private void CheckLayout(long dataStart, long fileBytes)
    {
        long position = dataStart;
        string before = "the header";
        foreach (var entry in entries.Values.OrderBy(e => e.Offset).ThenBy(e => e.Bytes))
        {
            if (entry.Offset > fileBytes || entry.Bytes > fileBytes - entry.Offset)
                throw Wrong(entry.Name, $"takes {entry.Bytes} bytes from byte {entry.Offset} of the file, which has only {fileBytes} (is "
                    + "the download complete?).");
            if (entry.Offset != position)
                throw Wrong(entry.Name, $"begins at byte {entry.Offset} of the file, but {before} ends at {position}; tensors may neither "
                    + "overlap nor leave holes.");
            position += entry.Bytes;
            before = $"tensor {Text.Quote(entry.Name)}";
        }

        if (position != fileBytes)
            throw new ModelFileException(file,
                $"has {fileBytes} bytes, but {before} ends at {position}; nothing may follow the last tensor.");
    }

    private ModelFileException Wrong(string tensor, string problem) => new(file, $"tensor {Text.Quote(tensor)} {problem}");
}
