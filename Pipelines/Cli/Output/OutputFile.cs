using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Checks output paths before any work is done, so that minutes of computing do not end in "no such folder".</summary>
internal static class OutputFile
{
    /// <summary>Whether a name means stdout: <c>-</c>, or its own names.</summary>
    public static bool IsStandardOutput(string? path) => path is "-" or "/dev/stdout" or "/dev/fd/1" or "/proc/self/fd/1";

    /// <summary>Checks that an image can be written under a name, by its extension.</summary>
    public static void RequireImage(string? path)
    {
        if (path is null || IsStandardOutput(path) || AtomicFile.IsDevice(path)) return;
        if (!Image.FileExtensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
            throw new ArgumentException($"--output: {OutsideText.Quote(path)} must end in "
                + $"{string.Join(", ", Image.FileExtensions.SkipLast(1))} or {Image.FileExtensions[^1]}, the formats of images.");
    }

    /// <summary>Checks that every file can be written, and that none would overwrite another.</summary>
    public static void RequireWritable(IEnumerable<string> paths)
    {
        var (seen, probed) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        foreach (string path in paths)
        {
            if (IsStandardOutput(path) || AtomicFile.IsDevice(path)) continue;
            string full = Path.GetFullPath(path), folder = Path.GetDirectoryName(full) ?? "";
            if (!seen.Add(full)) throw new ArgumentException($"'{path}' is given for two outputs; each needs a file of its own.");
            if (Directory.Exists(full)) throw new IOException($"'{path}' cannot be written: it is a folder.");
            if (!Directory.Exists(folder)) throw new IOException($"'{path}' cannot be written: the folder {folder} does not exist.");
            if (probed.Add(folder)) Probe(path, folder);
        }
    }

    /// <summary>Checks that the current folder is writable, for images without a name.</summary>
    public static void RequireFolder() => Probe("the image", Directory.GetCurrentDirectory());

    /// <summary>Writes a text file atomically.</summary>
    public static void WriteText(string path, string text) =>
        AtomicFile.Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    private static void Probe(string path, string folder)
    {
        try
        {
            using var probe = new FileStream(Path.Combine(folder, $".{Guid.NewGuid():n}.tmp"), FileMode.CreateNew, FileAccess.Write,
                FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"'{path}' cannot be written: the folder {folder} takes no files ({e.Message})", e);
        }
    }
}
