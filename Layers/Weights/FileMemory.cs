using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>A file's bytes in memory: mapped, or read if the file system does not support mapping.</summary>
internal sealed unsafe class FileMemory : IDisposable
{
    private const int PieceBytes = 1 << 30;
    private readonly FileStream stream; // stays open for checking whether the file has changed
    private readonly DateTime written;
    private MemoryMappedFile? map;
    private MemoryMappedViewAccessor? view;
    private nint copy;

    /// <summary>Maps or reads a file, which must not be empty.</summary>
    /// <param name="stream">The file; owned by the new object, unless the constructor fails.</param>
    /// <param name="mapping">Maps a file.</param>
    /// <param name="logger">Receives the warning about a file that had to be read.</param>
    /// <exception cref="IOException">It can be neither mapped nor read.</exception>
    public FileMemory(FileStream stream, Func<FileStream, MemoryMappedFile> mapping, ILogger logger)
    {
        (this.stream, Length, written) = (stream, stream.Length, File.GetLastWriteTimeUtc(stream.SafeFileHandle));
        try
        {
            Map(mapping);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            Unmap();
            ReadAll();
            WeightsLog.FileNotMapped(logger, stream.Name, e.Message.TrimEnd('.'), Length / 1048576.0);
        }
    }

    /// <summary>The file's length when it was opened.</summary>
    public long Length { get; }

    /// <summary>Address of its first byte.</summary>
    public byte* Start { get; private set; }

    /// <summary>
    /// Whether the file is unchanged since it was opened. Writing to or truncating a mapped file changes the mapped bytes.
    /// </summary>
    public bool IsIntact =>
        copy != 0 || (RandomAccess.GetLength(stream.SafeFileHandle) == Length
            && File.GetLastWriteTimeUtc(stream.SafeFileHandle) == written);

    /// <summary>The default mapping of a file.</summary>
    public static MemoryMappedFile MapForReading(FileStream stream) =>
        MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);

    /// <summary>Releases pages of the mapping; they are read from the file again when accessed. Has no effect on other memory.</summary>
    public void Release(nint address, long bytes)
    {
        if (copy == 0 && address >= (nint)Start && address + bytes <= (nint)Start + Length) MappedPages.Release(address, bytes);
    }

    public void Dispose()
    {
        Unmap();
        NativeMemory.AlignedFree((void*)copy);
        copy = 0;
        stream.Dispose();
    }

    private void Map(Func<FileStream, MemoryMappedFile> mapping)
    {
        map = mapping(stream);
        view = map.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        Start = start + view.PointerOffset;
    }

    private void Unmap()
    {
        if (Start != null && view is not null) view.SafeMemoryMappedViewHandle.ReleasePointer();
        Start = null;
        view?.Dispose();
        map?.Dispose();
        (view, map) = (null, null);
    }

    private void ReadAll()
    {
        const int Alignment = 64;
        try
        {
            copy = (nint)NativeMemory.AlignedAlloc((nuint)Length, Alignment);
            Start = (byte*)copy;
            for (long at = 0; at < Length;)
            {
                int read = RandomAccess.Read(stream.SafeFileHandle, new Span<byte>(Start + at, (int)Math.Min(PieceBytes, Length - at)), at);
                if (read == 0) throw new EndOfStreamException($"it ends after {at} of {Length} bytes");
                at += read;
            }
        }
        catch (OutOfMemoryException e)
        {
            throw new IOException($"could not allocate {Length / 1048576.0:F0} MiB of memory for it", e);
        }
        catch
        {
            Dispose();
            throw;
        }
    }
}
