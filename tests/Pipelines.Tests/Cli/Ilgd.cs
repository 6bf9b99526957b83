using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>What one run of the tool gave.</summary>
internal sealed record IlgdResult(int ExitCode, string Output, string Errors)
{
    public string[] OutputLines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public string[] ErrorLines => Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Runs the built command line tool as a child process.</summary>
internal static class Ilgd
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly string Tool = Path.Combine(AppContext.BaseDirectory, "ilgd.dll");
    private static readonly string Dotnet = Environment.ProcessPath is { } p && Path.GetFileNameWithoutExtension(p) == "dotnet" ? p : "dotnet";
    private static readonly string Cache = Path.Combine(Path.GetTempPath(), $"ilgpudiffusion-tests-{Environment.ProcessId}");

    /// <summary>Runs to the end.</summary>
    /// <param name="folder">Working folder.</param>
    /// <param name="arguments">As a user would type them.</param>
    public static Task<IlgdResult> Run(string folder, params string[] arguments) => Run(folder, null, arguments);

    /// <summary>Runs to the end.</summary>
    /// <param name="folder">Working folder.</param>
    /// <param name="onError">Given the process and each line of stderr as it comes.</param>
    /// <param name="arguments">As a user would type them.</param>
    public static Task<IlgdResult> Run(string folder, Action<Process, string>? onError, params string[] arguments) => Run(folder, onError, [], arguments);

    /// <summary>Runs to the end with variables of its own.</summary>
    public static Task<IlgdResult> RunWith(Dictionary<string, string?> variables, string folder, params string[] arguments) => Run(folder, null, variables, arguments);

    /// <summary>Runs to the end through a shell, which opens and closes what the tool inherits.</summary>
    /// <param name="folder">Working folder.</param>
    /// <param name="line">A line of sh in which <c>$ilgd</c> is the tool.</param>
    public static Task<IlgdResult> Shell(string folder, string line) => RunAsync(new ProcessStartInfo("sh", ["-c", line.Replace("$ilgd", $"'{Dotnet}' '{Tool}'", StringComparison.Ordinal)]), folder, null, [], line);

    /// <summary>Sends a signal, without a program that a small container may lack.</summary>
    public static void Send(Process process, int signal) => Assert.Equal(0, kill(process.Id, signal));

    private static Task<IlgdResult> Run(string folder, Action<Process, string>? onError, Dictionary<string, string?> variables, string[] arguments)
    {
        // A shell that runs its jobs in the background ignores interrupts, and children inherit that: env takes it back.
        bool interruptible = onError is not null && OperatingSystem.IsLinux();
        var start = new ProcessStartInfo(interruptible ? "env" : Dotnet, [.. interruptible ? (string[])["--default-signal=INT,QUIT", Dotnet] : [], Tool, .. arguments]);
        return RunAsync(start, folder, onError, variables, string.Join(' ', arguments));
    }

    private static async Task<IlgdResult> RunAsync(ProcessStartInfo start, string folder, Action<Process, string>? onError, Dictionary<string, string?> variables, string what)
    {
        (start.WorkingDirectory, start.RedirectStandardOutput, start.RedirectStandardError) = (folder, true, true);
        start.Environment["ILGPUDIFFUSION_CACHE"] = Cache; // neither reads what this machine's user measured nor adds to it
        foreach (var (name, value) in variables) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = new List<string>();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            while (await process.StandardError.ReadLineAsync(patience.Token) is { } line)
            {
                errors.Add(line);
                onError?.Invoke(process, line);
            }

            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"ilgd {what} did not end; it said: {string.Join('\n', errors)}");
        }

        return new IlgdResult(process.ExitCode, await output, string.Join('\n', errors));
    }

#pragma warning disable SYSLIB1054 // two integers need no generated marshalling
    [DllImport("libc")]
    private static extern int kill(int process, int signal);
#pragma warning restore SYSLIB1054
}
