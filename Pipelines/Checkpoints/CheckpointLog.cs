using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>What reading a model's configuration logs: events 3000 to 3099.</summary>
internal static partial class CheckpointLog
{
    [LoggerMessage(3000, LogLevel.Warning,
        "{File}: '{Key}' is {Found}; taken as {Taken}, as diffusers takes old files.")]
    public static partial void OldValueRepaired(ILogger logger, LogText file, LogText key, LogText found, LogText taken);

    [LoggerMessage(3001, LogLevel.Warning,
        "{File}: has no {Keys}; taken as {Taken}, as diffusers takes old files.")]
    public static partial void OldDefaultRepaired(ILogger logger, LogText file, LogText keys, LogText taken);
}
