using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>What autoencoders log: events 3400 to 3499.</summary>
internal static partial class AutoencoderLog
{
    [LoggerMessage(3400, LogLevel.Warning, "{Warning}")]
    public static partial void Overflow(ILogger logger, LogText warning);
}
