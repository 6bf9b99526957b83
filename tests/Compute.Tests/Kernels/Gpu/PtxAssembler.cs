using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The resources of an assembled kernel.</summary>
/// <param name="Registers">Registers of each work item.</param>
/// <param name="SpillBytes">Bytes of spilled registers, stores and loads together.</param>
/// <param name="StackBytes">Local memory of each work item.</param>
/// <param name="SharedBytes">Shared memory of a group.</param>
internal sealed record PtxasReport(int Registers, int SpillBytes, int StackBytes, int SharedBytes);

/// <summary>
/// NVIDIA's assembler, which shows what the driver would make of PTX, without a GPU. <c>.ci/ptxas</c> fetches it; it is not redistributed.
/// </summary>
internal static partial class PtxAssembler
{
    /// <summary>The newest PTX version of release 11.8.</summary>
    private const string NewestVersion = "7.8";

    /// <summary>The program; if it is absent, the test is skipped, or fails if ptxas is required.</summary>
    public static string Path => Find() ?? throw Required.Absent("ptxas", "ptxas is not present; .ci/ptxas fetches it with apt.");

    /// <summary>Assembles kernels in few runs, since starting the program takes longer than most kernels.</summary>
    /// <param name="architecture">Such as <c>sm_90</c>.</param>
    /// <param name="kernels">PTX of one entry each, with a name for messages.</param>
    /// <returns>In the given order.</returns>
    public static IReadOnlyList<PtxasReport> Assemble(string architecture, IReadOnlyList<(string Name, KernelArtifact Artifact)> kernels)
    {
        const int Together = 16;
        string path = Path;
        var reports = new PtxasReport[kernels.Count];
        Parallel.ForEach(Enumerable.Range(0, kernels.Count).Chunk(Together), new ParallelOptions { MaxDegreeOfParallelism = 2 }, part =>
        {
            var found = Run(path, architecture, [.. part.Select(i => kernels[i])]);
            foreach (var (i, report) in part.Zip(found)) reports[i] = report;
        });
        return reports;
    }

    private static PtxasReport[] Run(string path, string architecture, (string Name, KernelArtifact Artifact)[] kernels)
    {
        string folder = Directory.CreateTempSubdirectory("ptxas").FullName;
        try
        {
            File.WriteAllText(System.IO.Path.Combine(folder, "kernels.ptx"), Join(architecture, kernels));
            var start = new ProcessStartInfo(path,
                ["-v", $"-arch={architecture}", "kernels.ptx", "-o", "kernels.cubin"])
            {
                WorkingDirectory = folder,
                RedirectStandardError = true,
                RedirectStandardOutput = true
            };
            using var process = Process.Start(start)!;
            var rest = process.StandardOutput.ReadToEndAsync();
            string said = process.StandardError.ReadToEnd() + rest.Result;
            process.WaitForExit();
            Assert.True(process.ExitCode == 0,
                $"ptxas refuses one of {string.Join(", ", kernels.Select(k => k.Name))} for {architecture}: {said}");
            return [.. kernels.Select((kernel, i) => Read(said, $"kernel_{i}"))];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // One module with many kernels: entries get unique names, and so do shared variables, which are declared outside of entries.
    private static string Join(string architecture, (string Name, KernelArtifact Artifact)[] kernels)
    {
        var text = new StringBuilder($".version {NewestVersion}\n.target {architecture}\n.address_size 64\n");
        for (int i = 0; i < kernels.Length; i++)
        {
            var artifact = kernels[i].Artifact;
            string body = Header().Replace(artifact.Text, "").Replace($" {artifact.Entry}(", $" kernel_{i}(", StringComparison.Ordinal);
            text.Append(Outside().Replace(body, $"$1_of_{i}"));
        }

        return text.ToString();
    }

    private static PtxasReport Read(string said, string entry)
    {
        var match = Regex.Match(said,
            $@"Compiling entry function '{entry}'.*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers(?:, (?:used \d+ barriers, )?(\d+) bytes smem)?", RegexOptions.Singleline);
        Assert.True(match.Success, $"ptxas reports nothing for {entry}: {said}");
        int Number(int group) => match.Groups[group].Success ? int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture) : 0;
        return new PtxasReport(Number(4), Number(2) + Number(3), Number(1), Number(5));
    }

    /// <summary>The folder of build results, with the assembler and its cached output.</summary>
    public static string Artifacts { get; } = FindArtifacts();

    private static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator)
            .Prepend(System.IO.Path.Combine(Artifacts, "tools"))
        .Select(folder => System.IO.Path.Combine(folder, OperatingSystem.IsWindows() ? "ptxas.exe" : "ptxas")).FirstOrDefault(File.Exists);

    private static string FindArtifacts()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && folder.Name != "artifacts") folder = folder.Parent;
        return folder?.FullName ?? AppContext.BaseDirectory; // published to another folder
    }

    [GeneratedRegex(@"^\.(version|target|address_size)\b.*$", RegexOptions.Multiline)]
    private static partial Regex Header();

    [GeneratedRegex(@"\b(__(?:dyn_)?shared_alloca\w*|__const\w*)\b")]
    private static partial Regex Outside();
}
