using System.IO.MemoryMappedFiles;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// A memory-mapped safetensors file: opening reads only the header; the operating system loads a tensor's pages on access and shares them
/// between processes. If the file system does not support mapping, the file is read instead, with a notice. Spans and pointers are valid
/// until <see cref="Dispose"/>. Concurrent reads are safe; disposing while another thread reads is not.
/// </summary>
/// <remarks>
/// A mapped file should not be modified while it is open; replacing it by another file, as downloads do, is safe. A changed length or
/// modification time is detected whenever weights are taken into use (<see cref="RequireIntact"/>). One case remains: truncating the file
/// while its bytes are being read ends the process.
/// </remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly FileMemory memory;
    private readonly WidenedTensors widened = new();
    private readonly SafetensorsHeader header;
    private int closed;

    private SafetensorsFile(string path, FileStream stream, Func<FileStream, MemoryMappedFile> mapping, ILogger logger)
    {
        Path = path;
        long length = stream.Length;
        // throws; an empty file cannot be mapped
        if (length < SafetensorsHeader.LengthBytes) SafetensorsHeader.JsonLength([], length, path);
        memory = new FileMemory(stream, mapping, logger);
        try
        {
            int json = SafetensorsHeader.JsonLength(new ReadOnlySpan<byte>(memory.Start, SafetensorsHeader.LengthBytes), length, path);
            header = SafetensorsHeader.Parse(new ReadOnlySpan<byte>(memory.Start + SafetensorsHeader.LengthBytes, json), length, path);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file's path as given.</summary>
    public string Path { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => header.Entries;

    /// <summary>The file's <c>__metadata__</c> strings; empty if it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => header.Metadata;

    /// <summary>Maps a file and checks its header.</summary>
    /// <exception cref="ModelFileException">The file is missing, unreadable or not a valid safetensors file; the message names file,
    /// tensor, expected and found.</exception>
    public static SafetensorsFile Open(string path, ILogger? logger = null) => Open(path, FileMemory.MapForReading, logger);

    /// <summary>As <see cref="Open(string, ILogger?)"/>, with another way to map files.</summary>
    internal static SafetensorsFile Open(string path, Func<FileStream, MemoryMappedFile> mapping, ILogger? logger = null)
    {
        try
        {
            var stream = InputFile.Open(path);
            try
            {
                return new SafetensorsFile(path, stream, mapping, logger ?? WeightsLog.Default);
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelFileException(path, "the file does not exist.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ModelFileException(path, $"cannot be read ({e.Message})", e);
        }
    }

    /// <summary>The entry of a required tensor.</summary>
    /// <exception cref="ModelFileException">The file has no tensor of that name.</exception>
    public SafetensorsEntry Entry(string name) =>
        Entries.TryGetValue(name, out var entry) ? entry
            : throw new ModelFileException(Path, $"tensor {Text.Quote(name)} is missing; the file has {Entries.Count} others.");

    /// <summary>A tensor's bytes, little endian, valid until <see cref="Dispose"/>.</summary>
    /// <exception cref="ModelFileException">The tensor has more than 2 GB; use <see cref="Pointer"/>.</exception>
    public ReadOnlySpan<byte> Bytes(SafetensorsEntry entry)
    {
        byte* pointer = Pointer(entry);
        return entry.Bytes <= int.MaxValue
            ? new ReadOnlySpan<byte>(pointer, (int)entry.Bytes)
            : throw new ModelFileException(Path, $"tensor {Text.Quote(entry.Name)} has {entry.Bytes} bytes, more than one span can hold.");
    }

    /// <summary>
    /// The address of a tensor's first byte, valid until <see cref="Dispose"/>. The format guarantees no alignment: use unaligned loads or
    /// check the address.
    /// </summary>
    public byte* Pointer(SafetensorsEntry entry)
    {
        ObjectDisposedException.ThrowIf(closed != 0, this);
        if (!Entries.TryGetValue(entry.Name, out var own) || !ReferenceEquals(own, entry))
            throw new ArgumentException($"The entry {Text.Quote(entry.Name)} belongs to another file.", nameof(entry));
        return memory.Start + entry.Offset;
    }

    /// <summary>
    /// A float tensor's values (F32, F16, BF16, F8_E4M3, F8_E5M2; F64 rounds to the nearest float), outermost dimension first.
    /// </summary>
    /// <exception cref="ModelFileException">The tensor is missing, not of a float type, or larger than an array can be.</exception>
    public float[] ReadFloats(string name) => SafetensorsValues.Floats(this, Entry(name));

    /// <summary>A float tensor's values (F64, F32, F16, BF16, F8_E4M3, F8_E5M2) without any rounding.</summary>
    /// <exception cref="ModelFileException">The tensor is missing, not of a float type, or larger than an array can be.</exception>
    public double[] ReadDoubles(string name) => SafetensorsValues.Doubles(this, Entry(name));

    /// <summary>An integer tensor's values (any integer type up to 64 bits; BOOL gives 0 and 1).</summary>
    /// <exception cref="ModelFileException">The tensor is missing, not of an integer type, larger than an array can be, or a U64 exceeds a
    /// long.</exception>
    public long[] ReadLongs(string name) => SafetensorsValues.Longs(this, Entry(name));

    /// <summary>
    /// The engine's type of a tensor that is to be used as one: as it is stored, or what it is widened to (8-bit floats to Float16,
    /// exactly; F64 to Float32, rounded).
    /// </summary>
    /// <exception cref="ModelFileException">The file's type has no counterpart (U8, BOOL …).</exception>
    public DType RequireDType(SafetensorsEntry entry) => entry.DType ?? WidenedTensors.TypeOf(entry.StoredType)
        ?? throw new ModelFileException(Path,
            $"tensor {Text.Quote(entry.Name)} is stored as {entry.StoredType}; usable are F32, F16, BF16, F64, F8_E4M3, F8_E5M2, I8, I32 "
                + "and I64.");

    /// <summary>Checks that the file is unchanged since it was opened. Call before reading bytes that rely on earlier checks.</summary>
    /// <exception cref="ModelFileException">Its length or modification time differs.</exception>
    public void RequireIntact()
    {
        ObjectDisposedException.ThrowIf(closed != 0, this);
        if (!memory.IsIntact)
            throw new ModelFileException(Path, "the weights changed on disk while they were in use. Load the model again.");
    }

    /// <summary>A tensor for kernels: the mapped bytes, or a converted copy owned by this file.</summary>
    internal Tensor ToTensor(SafetensorsEntry entry)
    {
        var type = RequireDType(entry);
        nint address = entry.DType is null ? widened.Get(entry, Pointer(entry)) : (nint)Pointer(entry);
        return new Tensor(HostBuffer.Borrow(address, entry.Shape.Count * type.Size(), this), 0, type, entry.Shape);
    }

    /// <summary>Releases the pages of a tensor if it is part of the mapped file.</summary>
    internal void Release(Tensor tensor) => memory.Release(((HostBuffer)tensor.Buffer).Address + (nint)tensor.Offset, tensor.Type.Bytes);

    /// <summary>Removes the mapping. Every span and pointer taken from this file becomes invalid.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref closed, 1) != 0) return;
        widened.Dispose();
        memory.Dispose();
    }
}
