using System.CommandLine;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary><c>ilgd cache</c>: compiled GPU kernels and tuned tiles on disk.</summary>
internal static class CacheCommand
{
    public static Command Create()
    {
        var json = Options.Json("the facts");
        var command = new Command("cache", "Shows what is cached on disk to start faster: compiled GPU kernels, and results of ilgd tune")
            { json };
        var info = new Command("info", "Same as ilgd cache") { json };
        var withTuning = new Option<bool>("--tuning")
        { Description = "Also removes the results of ilgd tune, which take minutes to measure again" };
        var clear = new Command("clear", "Removes compiled kernels, which are compiled again when needed; tuning results are kept")
            { withTuning };
        command.SetAction(parsed => Show(parsed.GetValue(json)));
        info.SetAction(parsed => Show(parsed.GetValue(json)));
        clear.SetAction(parsed => Clear(parsed.GetValue(withTuning)));
        command.Add(info);
        command.Add(clear);
        return command;
    }

    private static int Show(bool asJson)
    {
        var cache = KernelDiskCache.Info();
        FileInfo[] tuned = TuningTables();
        if (asJson)
        {
            JsonOutput.Print(new
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

        if (cache.Folder is null) return SayOff();
        var table = new Listing("", "", "");
        string kernels = $"{cache.Kernels} kernel(s), {cache.Binaries} driver binaries, {Quantity.Bytes(cache.Bytes)} of at most " +
            $"{Quantity.Bytes(cache.LimitBytes)}";
        table.Add("kernels", kernels, cache.Folder);
        table.Add("tuning", $"{tuned.Length} device(s), {Quantity.Bytes(tuned.Sum(f => f.Length))}",
            tuned.FirstOrDefault()?.DirectoryName ?? "");
        table.Print();
        return ExitCodes.Done;
    }

    /// <summary>Removes what can be removed and prints it; anything left is an error.</summary>
    private static int Clear(bool withTuning)
    {
        var cache = KernelDiskCache.Info();
        if (cache.Folder is null) return SayOff();
        var failures = new List<string>();
        try
        {
            Terminals.Say($"kernels: {KernelDiskCache.Clear()} file(s) removed, {Quantity.Bytes(cache.Bytes)} ({cache.Folder})");
        }
        catch (IOException e)
        {
            failures.Add(e.Message);
        }

        if (withTuning) ClearTuning(failures);
        else if (TuningTables() is { Length: > 0 } kept) Terminals.Say($"tuning: kept, {kept.Length} device(s); --tuning removes it too");
        return failures.Count == 0 ? ExitCodes.Done : throw new IOException(string.Join("; ", failures));
    }

    /// <summary>Removes tables, the lock files of their writers, and files that were moved aside because they are not tables.</summary>
    private static void ClearTuning(List<string> failures)
    {
        var (removed, left) = (0, new List<Exception>());
        foreach (var file in TuningFiles("*.json*"))
        {
            try
            {
                file.Delete();
                removed++;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                left.Add(e);
            }
        }

        if (left.Count == 0) Terminals.Say($"tuning: {removed} file(s) removed");
        else failures.Add($"tuning: {removed} file(s) removed, {left.Count} not ({left[0].Message})");
    }

    private static int SayOff()
    {
        Console.WriteLine($"off ({CacheFolder.Variable})");
        return ExitCodes.Done;
    }

    /// <summary>One table per tuned device.</summary>
    private static FileInfo[] TuningTables() => TuningFiles("*.json");

    private static FileInfo[] TuningFiles(string pattern) =>
        CacheFolder.Sub("tuning") is { } folder && Directory.Exists(folder)
            ? [.. new DirectoryInfo(folder).EnumerateFiles(pattern).OrderBy(f => f.Name, StringComparer.Ordinal)]
            : [];
}
