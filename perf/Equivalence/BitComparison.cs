using System.Diagnostics;

namespace ILGpuDiffusion.Equivalence;

/// <summary>
/// Runs the tools of two built checkouts with the same arguments and compares their images and latents byte by byte. Only the tool's
/// command line is used. Each tool starts with its own empty cache.
/// </summary>
/// <param name="old">A built checkout.</param>
/// <param name="new">Another.</param>
/// <param name="seed">Another seed for the new one, to check that the comparison can fail.</param>
internal sealed class BitComparison(string old, string @new, int? seed)
{
    private const string Tool = "artifacts/bin/ILGpuDiffusion.Cli/release/ilgd";
    private const int LimitMilliseconds = 300_000;

    /// <summary>Prints each run and its differences.</summary>
    /// <returns>0 where all files of all runs are equal, else 1.</returns>
    public int Run(string only)
    {
        string work = Directory.CreateTempSubdirectory("ilgd-bits-").FullName;
        try
        {
            bool hasOpenCl = Start(old, work, "old", ["devices", "--json"]).Output.Contains("\"opencl:0\"", StringComparison.Ordinal);
            if (!hasOpenCl) Console.WriteLine("This machine has no opencl:0: its runs are left out.");
            var runs = Drawings.All(old, work)
                .Where(d => d.Name.Contains(only, StringComparison.Ordinal) && (hasOpenCl || !d.Arguments.Contains("opencl:0"))).ToArray();
            if (runs.Length == 0) throw new ArgumentException($"--only is '{only}'; no run has that name.");
            var (files, differing) = (0, new List<string>());
            foreach (var run in runs)
            {
                long start = Stopwatch.GetTimestamp();
                var (count, found) = TryCompare(run, work);
                files += count;
                differing.AddRange(found);
                Console.WriteLine($"{(found.Length == 0 ? "equal" : "DIFFERENT"),-9} {run.Name} ({count} files, "
                    + $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s)");
            }

            Console.WriteLine($"{runs.Length} runs, {files} files compared, {differing.Count} different or absent.");
            foreach (string line in differing) Console.WriteLine($"  {line}");
            return differing.Count == 0 ? 0 : 1;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private (int Files, string[] Differing) TryCompare(Drawing run, string work)
    {
        try
        {
            return Compare(run, work);
        }
        catch (InvalidOperationException e)
        {
            return (0, [e.Message]);
        }
    }

    private (int Files, string[] Differing) Compare(Drawing run, string work)
    {
        string[] folders = [.. new[] { (old, "old"), (@new, "new") }.Select(build => Draw(run, build.Item1, work, build.Item2))];
        string[] names = [.. folders.SelectMany(Directory.GetFiles).Select(f => Path.GetFileName(f)!).Distinct()
            .Order(StringComparer.Ordinal)];
        if (names.Length == 0) throw new InvalidOperationException($"{run.Name}: the tool wrote nothing.");
        var found = names.Select(name =>
            (name, difference: FileDifference.Of(Path.Combine(folders[0], name), Path.Combine(folders[1], name))))
                .Where(f => f.difference is not null);
        return (names.Length, [.. found.Select(f => $"{run.Name}: {f.name}: {f.difference}")]);
    }

    // The output folder of one run; the next run empties it.
    private string Draw(Drawing run, string build, string work, string name)
    {
        string folder = Path.Combine(work, $"{name}-out");
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        string drawn = (name == "new" ? seed : null)?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "7";
        string[] arguments = ["generate", "a red heart", "--seed", drawn, "-o", Path.Combine(folder, "image.png"), "--save-latents",
            Path.Combine(folder, "latents.safetensors"), .. run.Arguments];
        var (status, _, errors) = Start(build, work, name, arguments);
        return status == 0 ? folder
            : throw new InvalidOperationException(
                $"{run.Name}: {Path.Combine(build, Tool)} {string.Join(' ', arguments)} ends with {status}: {errors.Trim()}");
    }

    private static (int Status, string Output, string Errors) Start(string build, string work, string name, string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(build, Tool), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        start.Environment["ILGPUDIFFUSION_CACHE"] = Directory.CreateDirectory(Path.Combine(work, $"{name}-cache")).FullName;
        // keyed by text: equal texts are built once
        if (!start.Environment.ContainsKey("POCL_CACHE_DIR"))
            start.Environment["POCL_CACHE_DIR"] = Directory.CreateDirectory(Path.Combine(work, "pocl")).FullName;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(LimitMilliseconds))
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{string.Join(' ', arguments)} takes longer than {LimitMilliseconds / 1000} s.");
        }

        return (process.ExitCode, output.Result, errors.Result);
    }
}
