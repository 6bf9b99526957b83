using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>
/// Signals that end the process: the first one cancels the command, the second one ends the process at once. The exit code is 128 + the
/// signal's number.
/// </summary>
internal sealed class Interrupts : IDisposable
{
    private const int ActionBytes = 256; // more than struct sigaction has anywhere
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly (PosixSignal Signal, int Number)[] Signals =
        [(PosixSignal.SIGHUP, 1), (PosixSignal.SIGINT, 2), (PosixSignal.SIGQUIT, 3), (PosixSignal.SIGTERM, 15)];
    private static int code;
    private static Interrupts? current;

    private readonly CancellationTokenSource source = new();
    private readonly TaskCompletionSource overdue = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<PosixSignalRegistration> registrations = [];

    private readonly List<(int Number, byte[] Action)> actions = [];

    public Interrupts()
    {
        foreach (var (signal, number) in Signals)
        {
            if (IsIgnored(number)) continue;
            registrations.Add(PosixSignalRegistration.Create(signal, context => Arrived(context, 128 + number)));
            if (OperatingSystem.IsWindows()) continue;
            byte[] action = new byte[ActionBytes];
            if (sigaction(number, null, action) == 0) actions.Add((number, action));
        }

        current = this;
    }

    /// <summary>Exit code of a cancelled run: by the first signal, or that of an interrupt without one.</summary>
    public static int Code => code == 0 ? ExitCodes.Cancelled : code;

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>
    /// Completes some seconds after the first signal: what runs then, such as loading or a driver's compiler, cannot be cancelled and is
    /// abandoned.
    /// </summary>
    public Task Overdue => overdue.Task;

    /// <summary>
    /// Installs the handlers again after drivers are loaded: LLVM, part of the CPU drivers, replaces all handlers with its own, and
    /// swallows SIGQUIT.
    /// </summary>
    public static void Renew()
    {
        foreach (var (number, action) in current?.actions ?? []) _ = sigaction(number, action, null);
    }

    /// <summary>Ends the process without waiting for its threads: drivers crash in an orderly exit while they compile.</summary>
    public static void EndNow(int exitCode)
    {
        if (Messages.BarIsDrawn) StandardStreams.RawErrors.Write("\e[?25h"); // the cursor, which the bar hid
        if (OperatingSystem.IsWindows()) Environment.Exit(exitCode);
        else _exit(exitCode);
    }

    public void Dispose()
    {
        current = null;
        foreach (var registration in registrations) registration.Dispose();
        source.Dispose();
    }

    private void Arrived(PosixSignalContext context, int exitCode)
    {
        context.Cancel = true;
        if (Interlocked.CompareExchange(ref code, exitCode, 0) != 0)
        {
            EndNow(exitCode);
            return;
        }

        _ = Task.Delay(Patience).ContinueWith(_ => overdue.TrySetResult(), TaskScheduler.Default);
        source.Cancel();
    }

    /// <summary>Whether the parent set the signal to be ignored, as nohup does with SIGHUP; it then stays ignored.</summary>
    private static bool IsIgnored(int number)
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            string? mask = File.ReadLines("/proc/self/status")
                .FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))?[7..].Trim();
            return ulong.TryParse(mask, System.Globalization.NumberStyles.HexNumber, null, out ulong ignored)
                && (ignored >> (number - 1) & 1) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

#pragma warning disable SYSLIB1054 // integers and bytes need no generated marshalling
    [DllImport("libc")]
    private static extern int sigaction(int signal, byte[]? action, byte[]? former);

    [DllImport("libc")]
    private static extern void _exit(int exitCode);
#pragma warning restore SYSLIB1054
}
