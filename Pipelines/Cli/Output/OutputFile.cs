namespace ILGpuDiffusion.Cli;

/// <summary>Checks of output paths before any work is done: minutes of drawing must not end in "no such folder".</summary>
internal static class OutputFile
{
    public static void RequirePng(string? path)
    {
        if (path is not null && !path.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
            throw new ArgumentException($"--output: '{path}' must end in .png; pictures are written as PNG.");
    }

    public static void RequireFolder(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "";
        if (!Directory.Exists(folder)) throw new IOException($"'{path}' cannot be written: the folder {folder} does not exist.");
        if (Directory.Exists(path)) throw new IOException($"'{path}' cannot be written: it is a folder.");
    }
}
