using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The messages about a cache's files for one logger: those that hold for all files are logged once.</summary>
internal sealed class ArtifactCacheLog(ILogger logger)
{
    private int failed, doubted;

    public void Damaged(string file, Exception problem) => DeviceLog.CacheFileDamaged(logger, file, problem.Message);

    public void Unreadable(string file, Exception problem)
    {
        if (Interlocked.Exchange(ref failed, 1) == 0) DeviceLog.CacheUnreadable(logger, file, problem.Message);
    }

    public void Unwritable(string file, Exception problem)
    {
        if (Interlocked.Exchange(ref failed, 1) == 0) DeviceLog.CacheUnwritable(logger, file, problem.Message, CacheFolder.Variable);
    }

    public void NotTrusted(string problem)
    {
        if (Interlocked.Exchange(ref doubted, 1) == 0) DeviceLog.CacheNotTrusted(logger, problem, CacheFolder.Variable);
    }
}
