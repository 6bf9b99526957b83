using System.Diagnostics;
using System.Text.Json;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Peers;

/// <summary>Child processes: this program with other arguments, and <c>ilgd</c>.</summary>
internal static class Child
{
    /// <summary>Peak memory of one engine.</summary>
    public static EngineMemory Memory(string engine, string model, int pixels, bool int8 = false) =>
        JsonSerializer.Deserialize<EngineMemory>(
            Output(Self, ["memory", engine, model, "--pixels", $"{pixels}", .. int8 ? ["--int8"] : Array.Empty<string>()]),
                ResultFile.Json)!;

    /// <summary>Seconds of a whole run of <c>ilgd generate</c>, already built.</summary>
    public static double Generate()
    {
        string tool = Path.Combine(Machine.Repository, "artifacts/bin/ILGpuDiffusion.Cli/release/ilgd.dll");
        if (!File.Exists(tool)) throw new FileNotFoundException($"{tool} is absent: dotnet build -c Release Pipelines/Cli.");
        string image = Path.Combine(Path.GetTempPath(), $"ilgd-{Environment.ProcessId}.png");
        var clock = Stopwatch.StartNew();
        Output(tool, "generate", "a red heart", "-o", image);
        double seconds = clock.Elapsed.TotalSeconds;
        File.Delete(image);
        return seconds;
    }

    /// <summary>Runs this program; its output passes through.</summary>
    /// <returns>Whether its exit code is 0.</returns>
    public static bool Run(params string[] arguments)
    {
        using var process = Process.Start("dotnet", [Self, .. arguments]);
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static string Self => typeof(Child).Assembly.Location;

    private static string Output(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? text
            : throw new InvalidOperationException(
                $"{Path.GetFileName(program)} {string.Join(' ', arguments)} ended with {process.ExitCode}: {error.Result}");
    }
}
