using System.Diagnostics;
using System.Text;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>The result of one run of the tool.</summary>
internal sealed record IlgdResult(int ExitCode, string Output, string Errors)
{
    public string[] OutputLines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public string[] ErrorLines => Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Runs the built command-line tool as a child process, without other programs.</summary>
internal static class Ilgd
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly string Tool = Path.Combine(AppContext.BaseDirectory, "ilgd.dll");
    private static readonly string Dotnet = FindDotnet();
    private static readonly string Cache = Path.Combine(Path.GetTempPath(), $"ilgpudiffusion-tests-{Environment.ProcessId}");

    /// <summary>Runs to the end.</summary>
    /// <param name="folder">Working folder.</param>
    /// <param name="arguments">As a user would type them.</param>
    public static Task<IlgdResult> Run(string folder, params string[] arguments) => RunWith([], folder, arguments);

    /// <summary>Runs to the end with additional environment variables.</summary>
    public static async Task<IlgdResult> RunWith(Dictionary<string, string?> variables, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(Dotnet, [Tool, .. arguments])
        { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ILGPUDIFFUSION_CACHE"] = Cache; // neither reads nor extends this user's tuning table
        foreach (var (name, value) in variables) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"ilgd {string.Join(' ', arguments)} did not end; it said: {await errors}");
        }

        return new IlgdResult(process.ExitCode, await output, (await errors).TrimEnd('\n'));
    }

    /// <summary>Runs to the end with redirected streams, as from a shell. On Linux.</summary>
    /// <param name="folder">Working folder.</param>
    /// <param name="redirections">See <see cref="Child.Start"/>.</param>
    /// <param name="arguments">As a user would type them.</param>
    public static Task<IlgdResult> Redirected(string folder, string redirections, params string[] arguments) =>
        RunChild(folder, redirections, null, arguments);

    /// <summary>Runs to the end with a callback that may send signals. On Linux.</summary>
    /// <param name="folder">Working folder.</param>
    /// <param name="onError">Called with the process and each line of stderr.</param>
    /// <param name="arguments">As a user would type them.</param>
    public static Task<IlgdResult> Watched(string folder, Action<Child, string> onError, params string[] arguments) =>
        RunChild(folder, "", onError, arguments);

    /// <summary>Starts the tool; the caller reads and waits. On Linux.</summary>
    public static Child Start(string folder, string redirections, params string[] arguments)
    {
        var variables = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .ToDictionary(v => (string)v.Key, v => (string?)v.Value);
        variables["ILGPUDIFFUSION_CACHE"] = Cache;
        return Child.Start([Dotnet, Tool, .. arguments], folder, variables.Select(v => $"{v.Key}={v.Value}"), redirections);
    }

    private static async Task<IlgdResult> RunChild(string folder, string redirections, Action<Child, string>? onError, string[] arguments)
    {
        using var child = Start(folder, redirections, arguments);
        var output = ReadAsync(child.Output, null);
        var errors = ReadAsync(child.Errors, onError is null ? null : line => onError(child, line));
        var exit = child.WaitAsync();
        if (await Task.WhenAny(exit, Task.Delay(Patience)) != exit)
        {
            child.End();
            throw new TimeoutException($"ilgd {string.Join(' ', arguments)} did not end; it said: {await errors}");
        }

        return new IlgdResult(await exit, await output, await errors);
    }

    private static async Task<string> ReadAsync(Stream? stream, Action<string>? onLine)
    {
        if (stream is null) return "";
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var lines = new List<string>();
        while (await Task.Run(reader.ReadLine) is { } line)
        {
            lines.Add(line);
            onLine?.Invoke(line);
        }

        return string.Join('\n', lines);
    }

    private static string FindDotnet()
    {
        if (Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet") return host;
        if (Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } named) return named;
        string name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name))
            .First(File.Exists);
    }
}
