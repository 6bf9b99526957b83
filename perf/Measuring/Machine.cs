using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Measuring;

/// <summary>The machine and the commit of a measurement.</summary>
/// <param name="Processor">The processor as the system names it.</param>
/// <param name="Threads">Threads that computed.</param>
/// <param name="Registers">Width of the vector registers that were used.</param>
/// <param name="System">Operating system.</param>
/// <param name="Runtime">.NET's version.</param>
/// <param name="Commit">Short hash, followed by <c>+</c> if there were uncommitted changes.</param>
/// <param name="Load">The system's load average over the minute before; above 1, other programs were running.</param>
/// <param name="Date">Date, as yyyy-MM-dd.</param>
public sealed record Machine(string Processor, int Threads, string Registers, string System, string Runtime, string Commit, double Load,
    string Date)
{
    /// <summary>
    /// This machine now, with the device that computed; the threads of one other than the CPU are all that its driver may use.
    /// </summary>
    public static Machine Current(Device device) => new(
        device.Name, device is CpuDevice cpu ? cpu.Threads : Environment.ProcessorCount, device.Architecture,
            RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription, Git(), LoadAverage(),
        DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    /// <summary>
    /// The file beside the solution that names the commit in a bundle (<c>perf/run.sh bundle</c>), which is no checkout.
    /// </summary>
    private const string CommitFile = "COMMIT";

    /// <summary>The folder with the solution file.</summary>
    /// <exception cref="DirectoryNotFoundException">The program is not in a checkout.</exception>
    public static string Repository { get; } = FindRepository();

    /// <summary>On one line, for tables.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture,
            $"{Processor}, {Threads} threads, {Registers}, {Runtime}, commit {Commit}, load before {Load:F1}");

    private static double LoadAverage()
    {
        const string File = "/proc/loadavg";
        return global::System.IO.File.Exists(File)
            ? double.Parse(global::System.IO.File.ReadAllText(File).Split(' ')[0], CultureInfo.InvariantCulture) : 0;
    }

    private static string Git()
    {
        string bundled = Path.Combine(Repository, CommitFile);
        if (File.Exists(bundled)) return File.ReadAllText(bundled).Trim();
        string commit = Output("rev-parse", "--short", "HEAD");
        return Output("status", "--porcelain", "--untracked-files=no").Length > 0 ? commit + "+" : commit;
    }

    private static string Output(params string[] arguments)
    {
        using var git = Process.Start(
            new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true, WorkingDirectory = Repository })!;
        string text = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        return text.Trim();
    }

    private static string FindRepository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "ILGpuDiffusion.sln"))) folder = Path.GetDirectoryName(folder);
        return folder ?? throw new DirectoryNotFoundException($"{AppContext.BaseDirectory} is not in a checkout of ILGpuDiffusion.");
    }
}
