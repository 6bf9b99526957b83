using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Cases;

/// <summary>Paths that are no regular files: a device without an end, a pipe without a writer.</summary>
public static partial class NotRegular
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["/dev/zero", "/dev/urandom", "pipe"];

    /// <summary>A path to one of them: its own, or a link to it.</summary>
    public static void Make(string kind, string path)
    {
        if (OperatingSystem.IsWindows()) Xunit.Assert.Skip("Windows has no such files.");
        if (kind == "pipe") MakePipe(path);
        else File.CreateSymbolicLink(path, kind);
    }

    /// <summary>Creates a named pipe. Opening it for reading blocks until another process opens it for writing.</summary>
    public static void MakePipe(string path) => Xunit.Assert.Equal(0, MakePipe(path, 0b110_100_100));

    /// <summary>The exception from reading one; a test that blocks forever fails.</summary>
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
