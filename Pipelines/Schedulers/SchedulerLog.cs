using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>What schedulers log: events 3100 to 3199.</summary>
internal static partial class SchedulerLog
{
    [LoggerMessage(3100, LogLevel.Warning, "{File}: '_class_name' is {Found}; {Index} names {ClassName}, which is used, as in diffusers.")]
    public static partial void ClassOfTheIndexUsed(ILogger logger, LogText file, LogText found, LogText index, LogText className);
}
