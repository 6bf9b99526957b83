using System.Diagnostics;

namespace ILGpuDiffusion.Compute;

/// <summary>Things that do not stop the work but that somebody should know: the command line prints them; without a listener they go to <see cref="Trace"/>.</summary>
public static class Notices
{
    /// <summary>Raised with one sentence, on any thread.</summary>
    public static event Action<string>? Warning;

    /// <summary>Tells whoever listens.</summary>
    public static void Warn(string message)
    {
        if (Warning is { } warning) warning(message);
        else Trace.TraceWarning(message);
    }
}
