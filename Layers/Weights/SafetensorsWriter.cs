using System.Buffers.Binary;
using System.Text.Json;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// Collects tensors and writes them as one safetensors file. Tensors are ordered by element size (largest first), then by name, and the
/// header is padded to 8 bytes, so each tensor is aligned to its elements and equal contents give equal files.
/// </summary>
public sealed class SafetensorsWriter
{
    private const int Chunk = 1 << 14;
    private readonly Dictionary<string, Item> items = new(StringComparer.Ordinal);

    private sealed record Item(string Name, DType DType, Shape Shape, Action<Stream> Write)
    {
        public long Bytes => Shape.Count * DType.Size();
    }

    /// <summary>Strings for the header's <c>__metadata__</c>.</summary>
    public IDictionary<string, string> Metadata { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Adds a tensor whose bytes are produced while the file is written, so that it is never completely in memory.</summary>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="dtype">The stored type.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="write">Writes exactly shape × dtype bytes, little endian.</param>
    /// <exception cref="ArgumentException">The name is taken, or reserved by the format.</exception>
    public void Add(string name, DType dtype, Shape shape, Action<Stream> write)
    {
        if (name == "__metadata__") throw new ArgumentException("The name __metadata__ is reserved by the format.", nameof(name));
        if (!items.TryAdd(name, new Item(name, dtype, shape, write)))
            throw new ArgumentException($"The tensor {Text.Quote(name)} was added before.", nameof(name));
    }

    /// <summary>
    /// Adds a tensor of float values, stored as Float32 or rounded to nearest-even as Float16 or BFloat16. The values are read when the
    /// file is saved.
    /// </summary>
    /// <exception cref="ArgumentException">The name is taken, the dtype is not a float type, or the number of values does not match the
    /// shape.</exception>
    public void Add(string name, DType dtype, Shape shape, ReadOnlyMemory<float> values)
    {
        if (!dtype.IsFloat()) throw new ArgumentException($"{Text.Quote(name)}: float values cannot be stored as {dtype}.", nameof(dtype));
        if (values.Length != shape.Count)
            throw new ArgumentException($"{Text.Quote(name)} has {values.Length} values; {shape} needs {shape.Count}.", nameof(values));
        Add(name, dtype, shape, stream => WriteFloats(stream, values.Span, dtype));
    }

    /// <summary>Adds a tensor in host memory without gaps, in its own type. Its bytes are read when the file is saved.</summary>
    /// <exception cref="ArgumentException">The name is taken, or the tensor has gaps or is not in host memory.</exception>
    public void Add(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Buffer is not HostBuffer || !tensor.IsContiguous)
            throw new ArgumentException($"{Text.Quote(name)} must be in host memory, without gaps.", nameof(tensor));
        Add(name, tensor.DType, tensor.Shape, stream => WriteBytes(stream, tensor));
    }

    /// <summary>Writes the file with <see cref="AtomicFile"/>, so that readers see either the old file or the complete new one.</summary>
    /// <exception cref="IOException">The file cannot be written; nothing is left behind.</exception>
    /// <exception cref="InvalidOperationException">A tensor's callback wrote fewer or more bytes than its shape requires; nothing is left
    /// behind.</exception>
    public void Save(string path) => AtomicFile.Write(path, stream => Write(new CountingStream(stream)));

    private void Write(CountingStream stream)
    {
        Item[] sorted = [.. items.Values.OrderByDescending(i => i.DType.Size()).ThenBy(i => i.Name, StringComparer.Ordinal)];
        byte[] json = Header(sorted);
        int padded = (json.Length + 7) & ~7;
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, padded);
        stream.Write(length);
        stream.Write(json);
        for (int i = json.Length; i < padded; i++) stream.WriteByte((byte)' ');
        foreach (var item in sorted)
        {
            long before = stream.Written;
            item.Write(stream);
            if (stream.Written - before != item.Bytes)
                throw new InvalidOperationException(
                    $"{Text.Quote(item.Name)} wrote {stream.Written - before} bytes; {item.DType} {item.Shape} needs {item.Bytes}.");
        }
    }

    private byte[] Header(Item[] sorted)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            long offset = 0;
            json.WriteStartObject();
            if (Metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in Metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }

            foreach (var item in sorted)
            {
                json.WriteStartObject(item.Name);
                json.WriteString("dtype", SafetensorsTypes.Name(item.DType));
                json.WriteStartArray("shape");
                foreach (int size in item.Shape.Sizes) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += item.Bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static unsafe void WriteBytes(Stream stream, Tensor tensor)
    {
        const int Piece = 1 << 24;
        byte* start = (byte*)((HostBuffer)tensor.Buffer).Address + tensor.Offset;
        for (long at = 0; at < tensor.Type.Bytes; at += Piece)
            stream.Write(new ReadOnlySpan<byte>(start + at, (int)Math.Min(Piece, tensor.Type.Bytes - at)));
        GC.KeepAlive(tensor);
    }

    private static void WriteFloats(Stream stream, ReadOnlySpan<float> values, DType dtype)
    {
        byte[] buffer = new byte[Chunk * dtype.Size()];
        for (int done = 0; done < values.Length; done += Chunk)
        {
            var part = values.Slice(done, Math.Min(Chunk, values.Length - done));
            for (int i = 0; i < part.Length; i++)
                if (dtype == DType.Float32) BinaryPrimitives.WriteSingleLittleEndian(buffer.AsSpan(4 * i), part[i]);
                else if (dtype == DType.Float16) BinaryPrimitives.WriteHalfLittleEndian(buffer.AsSpan(2 * i), (Half)part[i]);
                else BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(2 * i), BFloat16Bits.Round(part[i]));
            stream.Write(buffer, 0, part.Length * dtype.Size());
        }
    }
}
