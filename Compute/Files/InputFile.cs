namespace ILGpuDiffusion.Compute.Files;

/// <summary>Input files. Only regular files are read: a pipe may block forever, and a device may be endless.</summary>
public static class InputFile
{
    private const int FirstBytes = 1 << 16;

    /// <summary>The kind of file that a path refers to, following links. Determined by the file system, not by the name.</summary>
    public static FileKind Kind(string path) =>
        UnixFiles.Kind(path) ?? (File.Exists(path) ? FileKind.Regular : Directory.Exists(path) ? FileKind.Folder : FileKind.Missing);

    /// <summary>Opens a regular file for reading, without a buffer.</summary>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="IOException">It is not a regular file, or cannot be opened.</exception>
    public static FileStream Open(string path)
    {
        var kind = Kind(path);
        if (kind is FileKind.Regular or FileKind.Missing)
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        throw new IOException($"it is a {kind.ToString().ToLowerInvariant()}, and only regular files are read");
    }

    /// <summary>Reads a whole regular file. The limit applies to the bytes read, not to the reported length.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">Maximum size in bytes.</param>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="IOException">It is not a regular file, is larger, or cannot be read.</exception>
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
