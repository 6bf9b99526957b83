using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>
/// The process's streams. What goes to stderr is a courtesy: that it is closed, full or gone never ends a run. What goes to stdout was
/// asked for: that it
/// cannot be written is an error. A reader that has left (a closed pipe) is none, as .NET has it.
/// </summary>
internal static class StandardStreams
{
    private const int Output = 1, Errors = 2, GetDescriptorFlags = 1, CloseOnExec = 1;

    private static readonly List<SafeFileHandle> Held = [];
    private static bool outputIsOpen = true;

    /// <summary>stderr as it is, for what brings its own control sequences; failures are swallowed.</summary>
    public static TextWriter RawErrors { get; private set; } = TextWriter.Null;

    /// <summary>stdout as it is: data that programs read, and file names.</summary>
    public static TextWriter RawOutput { get; private set; } = TextWriter.Null;

    /// <summary>Replaces the console's writers. Comes before anything else opens a file.</summary>
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
    /// Whether a descriptor came from the parent: it is open, and not something that the runtime opened since in a place that was free,
    /// which always carries close-on-exec.
    /// </summary>
    private static bool IsInherited(int descriptor) =>
        OperatingSystem.IsWindows() || fcntl(descriptor, GetDescriptorFlags, 0) is >= 0 and var flags && (flags & CloseOnExec) == 0;

    /// <summary>Fills free places among the first three, else an image's file could become what drivers write their messages to.</summary>
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
            // Without /dev/null the places stay free.
        }
    }

#pragma warning disable SYSLIB1054 // three integers need no generated marshalling
    [DllImport("libc")]
    private static extern int fcntl(int descriptor, int command, int argument);
#pragma warning restore SYSLIB1054
}
