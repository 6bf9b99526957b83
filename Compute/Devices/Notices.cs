using System.Diagnostics;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Things that do not stop the work but that somebody should know: the command line prints them; without a listener they go to
/// <see cref="Trace"/>.
/// What is in a message from outside is bounded and made visible (<see cref="OutsideText"/>).</summary>
public static class Notices
{
    /// <summary>Raised with one sentence, on any thread.</summary>
    public static event Action<string>? Warning;

    /// <summary>Raised with one line about work that takes a while, such as tuning, on any thread.</summary>
    public static event Action<string>? Information;

    /// <summary>Raised with one sentence for those who want to know everything, on any thread.</summary>
    public static event Action<string>? Detailed;

    /// <summary>Tells whoever wants to know everything.</summary>
    public static void Detail(string message)
    {
        message = OutsideText.Message(message);
        if (Detailed is { } detailed) detailed(message);
        else Trace.TraceInformation(message);
    }

    /// <summary>Tells whoever listens what goes on.</summary>
    public static void Inform(string message)
    {
        message = OutsideText.Message(message);
        if (Information is { } information) information(message);
        else Trace.TraceInformation(message);
    }

    /// <summary>Tells whoever listens.</summary>
    public static void Warn(string message)
    {
        message = OutsideText.Message(message);
        if (Warning is { } warning) warning(message);
        else Trace.TraceWarning(message);
    }
}
