namespace ILGpuDiffusion.Compute.Files;

/// <summary>Files that come from outside. Only regular ones are read: a pipe may never answer, and a device may never end.</summary>
public static class InputFile
{
    private const int FirstBytes = 1 << 16;

    /// <summary>The kind of what a path leads to, links followed. It is asked of the file system, not of the name.</summary>
    public static FileKind Kind(string path) =>
        UnixFiles.Kind(path) ?? (File.Exists(path) ? FileKind.Regular : Directory.Exists(path) ? FileKind.Folder : FileKind.Missing);

    /// <summary>Opens a regular file for reading, without a buffer.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="IOException">It is something else than a regular file, or cannot be opened.</exception>
    public static FileStream Open(string path)
    {
        var kind = Kind(path);
        if (kind is FileKind.Regular or FileKind.Missing) return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        throw new IOException($"it is a {kind.ToString().ToLowerInvariant()}, and only regular files are read");
    }

    /// <summary>Reads a whole regular file. What is read counts, not the length that the system reports.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">How many bytes it may have.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="IOException">It is something else than a regular file, has more bytes, or cannot be read.</exception>
    public static byte[] ReadAllBytes(string path, int most)
    {
        using var stream = Open(path);
        byte[] bytes = new byte[Math.Clamp(stream.Length, FirstBytes, most) + 1];
        int count = 0;
        while (stream.Read(bytes, count, bytes.Length - count) is > 0 and var read)
        {
            count += read;
            if (count > most) throw new IOException($"it has more than {most} bytes, the most that is read");
            if (count == bytes.Length) Array.Resize(ref bytes, (int)Math.Min(2L * count, most + 1L));
        }

        return bytes[..count];
    }
}
