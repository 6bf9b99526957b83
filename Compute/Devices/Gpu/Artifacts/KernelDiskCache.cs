namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Compiled GPU kernels on disk.</summary>
/// <param name="Folder">Where they lie; null where the cache is switched off.</param>
/// <param name="Kernels">How many generated texts there are.</param>
/// <param name="Binaries">How many of them are kept as a driver's binary too.</param>
/// <param name="Bytes">How much they take together.</param>
/// <param name="LimitBytes">How much they may take.</param>
public sealed record KernelDiskCacheInfo(string? Folder, int Kernels, int Binaries, long Bytes, long LimitBytes);

/// <summary>
/// Compiled GPU kernels, which are kept on disk so that the next process starts at once: in the folder that ILGPUDIFFUSION_CACHE names
/// ("off" keeps none), else in the platform's place for caches.
/// </summary>
public static class KernelDiskCache
{
    /// <summary>How many kernels this process compiled because they were not on disk.</summary>
    public static int Compilations => KernelCompiler.Compilations;

    /// <summary>What that took, in seconds.</summary>
    public static double CompileSeconds => KernelCompiler.TotalTime.TotalSeconds;

    /// <summary>What lies on disk.</summary>
    public static KernelDiskCacheInfo Info() => ArtifactCache.Shared.Info();

    /// <summary>Removes all of it.</summary>
    /// <returns>How many files went.</returns>
    /// <exception cref="IOException">Some could not be removed; all others were.</exception>
    public static int Clear() => ArtifactCache.Shared.Clear();
}
