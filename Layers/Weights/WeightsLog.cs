using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>What reading weights logs: events 2000 to 2099.</summary>
internal static partial class WeightsLog
{
    [LoggerMessage(2000, LogLevel.Warning,
        "{File} cannot be mapped into memory here ({Problem}), so its {Mebibytes:F0} MiB were read; other processes do not share them.")]
    public static partial void FileNotMapped(ILogger logger, LogText file, LogText problem, double mebibytes);

    /// <summary>Where messages go that nobody gave a logger for.</summary>
    public static ILogger Default => TraceLoggerFactory.Instance.CreateLogger<SafetensorsFile>();
}
