using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>What models and their compilation log: events 2100 to 2199.</summary>
internal static partial class GraphLog
{
    [LoggerMessage(2100, LogLevel.Warning, "{Location}: {Count} tensor(s) have no place in {Model} and are not used: {Tensors}.")]
    public static partial void TensorsLeftOut(ILogger logger, LogText location, int count, LogText model, LogText tensors);

    [LoggerMessage(2110, LogLevel.Information, "tuning {Count} ops and sizes of {Graph}, at most {MostSeconds:F0} s, {Kept}")]
    public static partial void TuningBegins(ILogger logger, int count, LogText graph, double mostSeconds, LogText kept);

    [LoggerMessage(2111, LogLevel.Information, "tuning {Graph}: {Done} of {Total}")]
    public static partial void Tuning(ILogger logger, LogText graph, int done, int total);

    [LoggerMessage(2112, LogLevel.Information,
        "tuned in {Seconds:F0} s: {Changed} of {Count} changed, these ops are {Gain:0.000}× as fast")]
    public static partial void Tuned(ILogger logger, double seconds, int changed, int count, double gain);

    [LoggerMessage(2113, LogLevel.Warning, "tuning: what was measured cannot be kept in {File}: {Problem}")]
    public static partial void TuningNotKept(ILogger logger, LogText file, LogText problem);
}
