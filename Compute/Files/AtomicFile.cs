using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace ILGpuDiffusion.Compute.Files;

/// <summary>Writes files atomically.</summary>
public static class AtomicFile
{
    private const int BufferBytes = 1 << 16;

    /// <summary>
    /// Writes to a temporary file in the same folder and renames it over the target, whose permissions are kept; on failure the temporary
    /// file is deleted and the target is unchanged. Symbolic links are followed. A target that cannot be replaced (<see cref="IsDevice"/>)
    /// is written to directly, and keeps partial content on failure.
    /// </summary>
    /// <param name="path">The target. Its folder must exist.</param>
    /// <param name="write">Writes the content, front to back.</param>
    /// <exception cref="IOException">The file cannot be written or flushed to disk; the target is unchanged.</exception>
    public static void Write(string path, Action<Stream> write) => Write(path, write, FlushToDisk);

    /// <summary>
    /// Whether a path is written to directly instead of being replaced: a device, a pipe or a socket, or one of the process's own
    /// descriptors (<c>/dev/stdout</c>, <c>/dev/fd/3</c>), whatever it refers to. The kind of the file decides, not its name:
    /// <c>/dev/shm/a.png</c> is a regular file.
    /// </summary>
    public static bool IsDevice(string path) =>
        Descriptor(path) is not null || InputFile.Kind(path) is FileKind.Device or FileKind.Pipe or FileKind.Socket;

    /// <summary>As <see cref="Write(string, Action{Stream})"/>, with a replacement for flushing to disk.</summary>
    internal static void Write(string path, Action<Stream> write, Action<SafeFileHandle> flushToDisk)
    {
        ArgumentNullException.ThrowIfNull(write);
        if (Descriptor(path) is { } descriptor)
        {
            using var handle = new SafeFileHandle(descriptor, ownsHandle: false);
            using var stream = new FileStream(handle, FileAccess.Write, bufferSize: 0);
            write(stream);
            _ = stream.SafeFileHandle; // moves the descriptor's position past the written bytes, so that later writes append
        }
        else if (IsDevice(path))
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            write(stream);
        }
        else
        {
            Replace(new FileInfo(path).LinkTarget is null ? Path.GetFullPath(path)
                : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName, write, flushToDisk);
        }
    }

    private static void Replace(string target, Action<Stream> write, Action<SafeFileHandle> flushToDisk)
    {
        // A name of fixed length: the target's may already be as long as the file system allows.
        string temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Guid.NewGuid():n}.tmp");
        try
        {
            using (var stream = Create(temporary, target))
            {
                write(stream);
                stream.Flush();
                flushToDisk(stream.SafeFileHandle); // otherwise a crash soon after the rename could leave an empty file
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            Delete(temporary);
            throw;
        }
    }

    /// <summary>
    /// Creates the temporary file with the target's permissions, set at creation so that it is never readable by users who cannot read the
    /// target.
    /// </summary>
    private static FileStream Create(string temporary, string target)
    {
        const UnixFileMode Permissions = (UnixFileMode)0b111_111_111;
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = BufferBytes
        };
        if (OperatingSystem.IsWindows() || !File.Exists(target)) return new FileStream(temporary, options);
        options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var mode = File.GetUnixFileMode(target) & Permissions;
        var stream = new FileStream(temporary, options);
        try
        {
            if (File.GetUnixFileMode(stream.SafeFileHandle) != mode) File.SetUnixFileMode(stream.SafeFileHandle, mode);
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    private static void FlushToDisk(SafeFileHandle file)
    {
        if (!OperatingSystem.IsWindows()) UnixFiles.FlushToDisk(file);
        if (!OperatingSystem.IsLinux()) RandomAccess.FlushToDisk(file); // on macOS it also flushes the disk's own cache
    }

    private static void Delete(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The original exception is more informative.
        }
    }

    /// <summary>The process's descriptor number that a path names, or null.</summary>
    private static int? Descriptor(string path)
    {
        if (OperatingSystem.IsWindows()) return null;
        string full = Path.GetFullPath(path);
        if (full is "/dev/stdout") return 1;
        if (full is "/dev/stderr") return 2;
        string? number = ((string[])["/dev/fd/", "/proc/self/fd/"]).Where(folder => full.StartsWith(folder, StringComparison.Ordinal))
            .Select(folder => full[folder.Length..]).FirstOrDefault();
        return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int descriptor) ? descriptor : null;
    }
}
