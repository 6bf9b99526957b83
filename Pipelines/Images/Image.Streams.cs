namespace ILGpuDiffusion.Pipelines.Images;

public sealed partial class Image
{
    /// <summary>
    /// As <see cref="Load(string)"/>, from a stream's position to its end. The stream stays open, and its length may be unknown.
    /// </summary>
    /// <param name="stream">A PNG, JPEG or WebP file.</param>
    /// <param name="name">Name for messages.</param>
    /// <exception cref="ImageFileException">As <see cref="Load(string)"/>.</exception>
    /// <exception cref="IOException">Reading the stream failed.</exception>
    public static Image Load(Stream stream, string name = "stream")
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var file = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            file.Write(buffer, 0, read);
            RequirePossible(file.Length, name);
        }

        return Codec.Decode(file.ToArray(), name);
    }

    /// <summary>As <see cref="Load(string)"/>, from a file's bytes. <see cref="Decode"/> takes a name for messages.</summary>
    /// <param name="file">The whole PNG, JPEG or WebP file.</param>
    /// <exception cref="ImageFileException">As <see cref="Load(string)"/>.</exception>
    public static Image Load(ReadOnlySpan<byte> file)
    {
        const string Name = "image";
        RequirePossible(file.Length, Name);
        return Codec.Decode(file.ToArray(), Name);
    }

    /// <summary>Writes the image as a PNG file, with its text chunks, to a stream, which stays open.</summary>
    /// <exception cref="IOException">Writing to the stream failed.</exception>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(EncodePng());
    }

    /// <summary>As <see cref="Save(Stream)"/>, asynchronously: for example to the body of a web server's response.</summary>
    /// <exception cref="IOException">Writing to the stream failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask SaveAsync(Stream stream, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.WriteAsync(EncodePng(), cancellation);
    }

    private static void RequirePossible(long bytes, string name)
    {
        if (bytes > MaxFileBytes) throw new ImageFileException(name, $"it has more than {MaxFileBytes} bytes, the limit for images.");
    }
}
