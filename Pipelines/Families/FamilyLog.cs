using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>What model families log: events 3300 to 3399.</summary>
internal static partial class FamilyLog
{
    [LoggerMessage(3300, LogLevel.Warning, "{File}: 'add_watermarker' is true; no watermark is put into images.")]
    public static partial void NoWatermark(ILogger logger, LogText file);
}
