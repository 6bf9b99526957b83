using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>What the choice of kernels logs: events 1100 to 1199.</summary>
internal static partial class KernelLog
{
    [LoggerMessage(1100, LogLevel.Warning, "tuning table {File} is not used: {Problem}. Delete it, or measure again with ilgd tune.")]
    public static partial void TuningTableNotUsed(ILogger logger, LogText file, LogText problem);
}
