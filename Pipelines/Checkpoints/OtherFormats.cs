using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>Files of models that are no safetensors files, recognised by their first bytes.</summary>
internal static class OtherFormats
{
    private const string Convert = "Convert it to safetensors: in Python, torch.load and safetensors.torch.save_file.";

    private static readonly (byte[] Start, string Problem)[] Known =
    [
        ("PK\x03\x04"u8.ToArray(),
            $"is a PyTorch pickle (or another zip file); pickles are not read, because they can run code. {Convert}"),
        ([0x80, 0x02], $"is a pickle; pickles are not read, because they can run code. {Convert}"),
        ("GGUF"u8.ToArray(), "is a GGUF file, which is not supported yet."),
        ("version https://git-lfs"u8.ToArray(), "is a pointer of Git LFS, not the file itself; run 'git lfs pull' where it is from."),
    ];

    /// <exception cref="ModelFileException">The file is of one of these formats, or cannot be read.</exception>
    public static void Reject(string path)
    {
        var start = new byte[32];
        int count;
        try
        {
            using var stream = InputFile.Open(path);
            count = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelFileException(path, "the file does not exist.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ModelFileException(path, $"cannot be read ({e.Message})", e);
        }

        foreach (var (bytes, problem) in Known)
            if (start.AsSpan(0, count).StartsWith(bytes)) throw new ModelFileException(path, problem);
    }
}
