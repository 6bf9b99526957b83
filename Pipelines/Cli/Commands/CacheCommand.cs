using System.CommandLine;
using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Cli;

/// <summary><c>ilgd cache</c>: compiled GPU kernels and tuned tiles on disk.</summary>
internal static class CacheCommand
{
    public static Command Create()
    {
        var json = Options.Json("the facts");
        var command = new Command("cache", "Shows what is kept on disk to start faster: compiled GPU kernels, and what ilgd tune found") { json };
        var info = new Command("info", "The same as without a verb") { json };
        var clear = new Command("clear", "Removes compiled kernels, which are compiled again when needed; what was tuned stays");
        command.SetAction(parsed => Show(parsed.GetValue(json)));
        info.SetAction(parsed => Show(parsed.GetValue(json)));
        clear.SetAction(_ =>
        {
            Console.WriteLine($"{CompiledKernels.Clear()} file(s) removed");
            return ExitCodes.Done;
        });
        command.Add(info);
        command.Add(clear);
        return command;
    }

    private static int Show(bool asJson)
    {
        var cache = CompiledKernels.Info();
        FileInfo[] tuned = [.. TuningFiles()];
        if (asJson)
        {
            JsonForm.Print(new
            {
                folder = cache.Folder,
                kernels = cache.Kernels,
                binaries = cache.Binaries,
                bytes = cache.Bytes,
                limit_bytes = cache.LimitBytes,
                tuning = tuned.Select(f => new { path = f.FullName, bytes = f.Length }),
            });
            return ExitCodes.Done;
        }

        if (cache.Folder is null)
        {
            Console.WriteLine($"off ({CacheFolder.Variable})");
            return ExitCodes.Done;
        }

        var table = new Listing("", "", "");
        table.Add("kernels", $"{cache.Kernels} kernel(s), {cache.Binaries} driver binaries, {Quantity.Bytes(cache.Bytes)} of at most {Quantity.Bytes(cache.LimitBytes)}", cache.Folder);
        table.Add("tuning", $"{tuned.Length} device(s), {Quantity.Bytes(tuned.Sum(f => f.Length))}", tuned.FirstOrDefault()?.DirectoryName ?? "");
        table.Print();
        return ExitCodes.Done;
    }

    /// <summary>One table for each device that was tuned.</summary>
    private static IEnumerable<FileInfo> TuningFiles() =>
        CacheFolder.Sub("tuning") is { } folder && Directory.Exists(folder) ? new DirectoryInfo(folder).EnumerateFiles("*.json").OrderBy(f => f.Name, StringComparer.Ordinal) : [];
}
