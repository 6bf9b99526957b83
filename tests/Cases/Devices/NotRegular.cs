using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Cases;

/// <summary>What may lie where a file is expected: a device that never ends, a pipe that never answers.</summary>
public static partial class NotRegular
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["/dev/zero", "/dev/urandom", "pipe"];

    /// <summary>A path that leads to one of them: by its own name, or made there by a link.</summary>
    public static void Make(string kind, string path)
    {
        if (OperatingSystem.IsWindows()) Xunit.Assert.Skip("Windows has no such files.");
        if (kind == "pipe") MakePipe(path);
        else File.CreateSymbolicLink(path, kind);
    }

    /// <summary>Makes a named pipe. Who opens it to read waits until another opens it to write.</summary>
    public static void MakePipe(string path) => Xunit.Assert.Equal(0, MakePipe(path, 0b110_100_100));

    /// <summary>What reading one throws; a test that waits for ever fails.</summary>
    public static T Throws<T>(Action read) where T : Exception
    {
        var reading = Task.Run(() => Xunit.Assert.Throws<T>(read));
        Xunit.Assert.True(Task.WaitAny([reading], Patience) == 0, "It is still being read.");
        var failure = reading.GetAwaiter().GetResult();
        Xunit.Assert.Contains("only regular files", failure.Message, StringComparison.Ordinal);
        return failure;
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);
}
