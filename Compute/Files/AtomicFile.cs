namespace ILGpuDiffusion.Compute;

/// <summary>Files that appear whole or not at all.</summary>
public static class AtomicFile
{
    private const int BufferBytes = 1 << 16;

    /// <summary>
    /// Writes to a temporary file beside the target and renames it over the target; on failure the temporary file goes and an earlier target stays.
    /// A link keeps pointing where it points; a device such as /dev/stdout is written to directly.
    /// </summary>
    /// <param name="path">The target. Its folder must exist.</param>
    /// <param name="write">Writes the content, front to back.</param>
    /// <exception cref="IOException">The file cannot be written; nothing is left behind.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        if (IsDevice(path))
        {
            using var device = new FileStream(path, FileMode.Open, FileAccess.Write);
            write(device);
            return;
        }

        string target = new FileInfo(path).LinkTarget is null ? Path.GetFullPath(path) : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
        // Its name does not grow with the target's, which may already be as long as the file system allows.
        string temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Guid.NewGuid():n}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes))
            {
                write(stream);
                stream.Flush(flushToDisk: true); // else a crash soon after the rename could leave an empty file
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Whether the path names a device, which a rename would destroy.</summary>
    public static bool IsDevice(string path) => Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal);
}
