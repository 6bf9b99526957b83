using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// A child process with streams as from a shell and all signals at their defaults, started with libc alone, because a slim container has no
/// other program.
/// .NET's Process neither closes streams nor resets the ignored interrupts of a background job.
/// </summary>
internal sealed class Child : IDisposable
{
    private const int OpaqueBytes = 1024; // more than libc's structures have on any system
    private const short SetSignalDefaults = 4;
    private const int Read = 0, Write = 0x241, ReadWrite = 2, Mode = 0x1B6, CloseOnExec = 0x80000, Kill = 9;

    private Child(int id, Stream? output, Stream? errors) => (Id, Output, Errors) = (id, output, errors);

    /// <summary>The process id.</summary>
    public int Id { get; }

    /// <summary>Its stdout; null if redirected.</summary>
    public Stream? Output { get; }

    /// <summary>Its stderr; null if redirected.</summary>
    public Stream? Errors { get; }

    /// <summary>Starts it.</summary>
    /// <param name="command">The program's full path, then its arguments.</param>
    /// <param name="folder">Its working folder.</param>
    /// <param name="variables">Its complete environment, <c>NAME=value</c>.</param>
    /// <param name="redirections">As a shell has them, between spaces: <c>2&gt;&amp;-</c>, <c>&gt;FILE</c>, <c>&lt;FILE</c>. stdout and
    /// stderr go into pipes else, stdin is empty.</param>
    public static Child Start(string[] command, string folder, IEnumerable<string> variables, string redirections)
    {
        byte[] actions = new byte[OpaqueBytes], attributes = new byte[OpaqueBytes], signals = new byte[OpaqueBytes];
        Check(posix_spawn_file_actions_init(actions));
        Check(posix_spawnattr_init(attributes));
        Check(sigemptyset(signals));
        foreach (int signal in (int[])[1, 2, 3, 13, 15]) Check(sigaddset(signals, signal));
        Check(posix_spawnattr_setsigdefault(attributes, signals));
        Check(posix_spawnattr_setflags(attributes, SetSignalDefaults));
        Check(posix_spawn_file_actions_addchdir_np(actions, folder));
        var targets = new Dictionary<int, string> { [0] = "/dev/null" };
        foreach (string redirection in redirections.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int arrow = redirection.IndexOfAny(['<', '>']);
            targets[arrow > 0 ? redirection[0] - '0' : redirection[arrow] == '<' ? 0 : 1] = redirection[(arrow + 1)..];
        }

        var pipes = new Dictionary<int, (SafeFileHandle Reads, SafeFileHandle Writes)>();
        foreach (int stream in (int[])[0, 1, 2])
        {
            if (!targets.TryGetValue(stream, out string? target))
            {
                int[] ends = new int[2];
                Check(pipe2(ends, CloseOnExec));
                pipes[stream] = (new(ends[0], true), new(ends[1], true));
                Check(posix_spawn_file_actions_adddup2(actions, ends[1], stream));
            }
            else if (target == "&-") Check(posix_spawn_file_actions_addclose(actions, stream));
            else Check(posix_spawn_file_actions_addopen(actions, stream, target, stream == 0 ? Read
                : target.StartsWith("/dev/", StringComparison.Ordinal) ? ReadWrite : Write, Mode));
        }

        try
        {
            Check(posix_spawn(out int id, command[0], actions, attributes, [.. command, null], [.. variables, null]));
            return new Child(id, Reader(1), Reader(2));
        }
        finally
        {
            foreach (var (_, writes) in pipes.Values) writes.Dispose();
            _ = posix_spawn_file_actions_destroy(actions);
            _ = posix_spawnattr_destroy(attributes);
        }

        Stream? Reader(int stream) => pipes.TryGetValue(stream, out var pipe) ? new FileStream(pipe.Reads, FileAccess.Read, 0) : null;
    }

    /// <summary>Sends a signal.</summary>
    public void Send(int signal) => Check(kill(Id, signal));

    /// <summary>Kills it.</summary>
    public void End() => Send(Kill);

    /// <summary>Waits until it has ended.</summary>
    /// <returns>Its exit code; 128 + the signal's number if one killed it.</returns>
    public Task<int> WaitAsync() => Task.Factory.StartNew(() =>
    {
        Assert.Equal(Id, waitpid(Id, out int status, 0));
        return (status & 0x7F) == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F);
    }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Makes a named pipe.</summary>
    public static void MakePipe(string path) => Check(mkfifo(path, Mode));

    public void Dispose()
    {
        Output?.Dispose();
        Errors?.Dispose();
    }

    private static void Check(int result) => Assert.True(result == 0, $"libc answers {result}");

#pragma warning disable SYSLIB1054, CA2101 // bytes, integers and texts, UTF-8 on Linux, need no generated marshalling
    [DllImport("libc")]
    private static extern int posix_spawn_file_actions_init(byte[] actions);

    [DllImport("libc")]
    private static extern int posix_spawn_file_actions_destroy(byte[] actions);

    [DllImport("libc")]
    private static extern int posix_spawn_file_actions_addclose(byte[] actions, int descriptor);

    [DllImport("libc")]
    private static extern int posix_spawn_file_actions_adddup2(byte[] actions, int from, int to);

    [DllImport("libc")]
    private static extern int posix_spawn_file_actions_addopen(byte[] actions, int descriptor,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, int mode);

    [DllImport("libc")]
    private static extern int posix_spawn_file_actions_addchdir_np(byte[] actions, [MarshalAs(UnmanagedType.LPUTF8Str)] string folder);

    [DllImport("libc")]
    private static extern int posix_spawnattr_init(byte[] attributes);

    [DllImport("libc")]
    private static extern int posix_spawnattr_destroy(byte[] attributes);

    [DllImport("libc")]
    private static extern int posix_spawnattr_setsigdefault(byte[] attributes, byte[] signals);

    [DllImport("libc")]
    private static extern int posix_spawnattr_setflags(byte[] attributes, short flags);

    [DllImport("libc")]
    private static extern int sigemptyset(byte[] signals);

    [DllImport("libc")]
    private static extern int sigaddset(byte[] signals, int signal);

    [DllImport("libc")]
    private static extern int posix_spawn(out int id, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, byte[] actions, byte[] attributes,
        [MarshalAs(UnmanagedType.LPArray, ArraySubType = UnmanagedType.LPStr)] string?[] arguments,
        [MarshalAs(UnmanagedType.LPArray, ArraySubType = UnmanagedType.LPStr)] string?[] variables);

    [DllImport("libc")]
    private static extern int pipe2(int[] ends, int flags);

    [DllImport("libc")]
    private static extern int waitpid(int id, out int status, int options);

    [DllImport("libc")]
    private static extern int kill(int id, int signal);

    [DllImport("libc")]
    private static extern int mkfifo([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int mode);
#pragma warning restore SYSLIB1054, CA2101
}
