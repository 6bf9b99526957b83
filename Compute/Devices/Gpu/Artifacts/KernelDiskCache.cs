namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Contents of the disk cache of compiled GPU kernels.</summary>
/// <param name="Folder">The folder; null if the cache is switched off.</param>
/// <param name="Kernels">Number of generated kernel texts.</param>
/// <param name="Binaries">Number of them with a driver binary.</param>
/// <param name="Bytes">Total size in bytes.</param>
/// <param name="LimitBytes">Maximum size in bytes.</param>
public sealed record KernelDiskCacheInfo(string? Folder, int Kernels, int Binaries, long Bytes, long LimitBytes);

/// <summary>
/// The disk cache of compiled GPU kernels, which lets the next process start without compiling: in the folder named by ILGPUDIFFUSION_CACHE
/// ("off" disables it), else in the platform's cache folder.
/// </summary>
public static class KernelDiskCache
{
    /// <summary>Number of kernels compiled by this process because they were neither on disk nor in a pack.</summary>
    public static int Compilations => KernelCompiler.Compilations;

    /// <summary>
    /// Number of kernels whose text the drivers compiled in this process because neither disk nor packs had a binary for them.
    /// </summary>
    public static int DriverCompilations => DriverBuilds.Count;

    /// <summary>Time spent on compilation by this process, without the drivers', in seconds.</summary>
    public static double CompileSeconds => KernelCompiler.TotalTime.TotalSeconds;

    /// <summary>Contents of the cache.</summary>
    public static KernelDiskCacheInfo Info() => ArtifactCache.Shared.Info();

    /// <summary>Deletes the cache.</summary>
    /// <returns>Number of files deleted.</returns>
    /// <exception cref="IOException">Some could not be deleted; all others were.</exception>
    public static int Clear() => ArtifactCache.Shared.Clear();
}
