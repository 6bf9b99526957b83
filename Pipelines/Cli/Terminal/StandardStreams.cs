using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>
/// The process's standard streams. A stderr that is closed, full or missing never ends a run. A stdout that cannot be written is an error,
/// except a closed pipe, whose reader has left, as in .NET.
/// </summary>
internal static class StandardStreams
{
    private const int Output = 1, Errors = 2, GetDescriptorFlags = 1, CloseOnExec = 1;

    private static readonly List<SafeFileHandle> Held = [];
    private static bool outputIsOpen = true;

    /// <summary>stderr unchanged, for text with its own control sequences; failures are ignored.</summary>
    public static TextWriter RawErrors { get; private set; } = TextWriter.Null;

    /// <summary>stdout unchanged: data that programs read, and file names.</summary>
    public static TextWriter RawOutput { get; private set; } = TextWriter.Null;

    /// <summary>Replaces the console's writers. Must run before anything else opens a file.</summary>
    public static void Open()
    {
        outputIsOpen = IsInherited(Output);
        bool errorsAreOpen = IsInherited(Errors);
        HoldPlaces();
        RawErrors = errorsAreOpen && Writer(static () => Console.Error) is { } errors ? new GuardedWriter(errors, static _ => { })
            : TextWriter.Null;
        RawOutput = new GuardedWriter(outputIsOpen ? Writer(static () => Console.Out) : null, static e => throw Unwritable(e));
        Console.SetError(new VisibleWriter(RawErrors));
        Console.SetOut(new VisibleWriter(RawOutput));
    }

    /// <summary>Writes bytes to stdout.</summary>
    /// <exception cref="IOException">stdout is closed or full.</exception>
    public static void WriteOutput(ReadOnlySpan<byte> bytes)
    {
        if (!outputIsOpen) throw Unwritable(null);
        try
        {
            using var stream = Console.OpenStandardOutput();
            stream.Write(bytes);
            stream.Flush();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
    }

    private static IOException Unwritable(Exception? e) =>
        new($"stdout cannot be written: {(e is null ? "it is closed" : e.Message.TrimEnd('.'))}.", e);

    private static TextWriter? Writer(Func<TextWriter> open)
    {
        try
        {
            return open();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether a descriptor is inherited from the parent: it is open, and not a file that the runtime has since opened under a free number,
    /// which always has close-on-exec.
    /// </summary>
    private static bool IsInherited(int descriptor) =>
        OperatingSystem.IsWindows() || fcntl(descriptor, GetDescriptorFlags, 0) is >= 0 and var flags && (flags & CloseOnExec) == 0;

    /// <summary>
    /// Occupies free descriptors among the first three; otherwise an image's file could become what drivers write their messages to.
    /// </summary>
    private static void HoldPlaces()
    {
        if (OperatingSystem.IsWindows()) return;
        try
        {
            while (Held.Count < 3)
            {
                var handle = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite);
                if (handle.DangerousGetHandle() <= Errors) Held.Add(handle);
                else
                {
                    handle.Dispose();
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without /dev/null they stay free.
        }
    }

#pragma warning disable SYSLIB1054 // three integers need no generated marshalling
    [DllImport("libc")]
    private static extern int fcntl(int descriptor, int command, int argument);
#pragma warning restore SYSLIB1054
}
