using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>What devices log: events 1000 to 1099.</summary>
internal static partial class DeviceLog
{
    [LoggerMessage(1000, LogLevel.Information, "device: {Device}, the first {Kind} that works")]
    public static partial void GpuChosen(ILogger logger, LogText device, LogText kind);

    [LoggerMessage(1001, LogLevel.Information, "device: {Device}, because no GPU works here ({Reasons})")]
    public static partial void ProcessorChosen(ILogger logger, LogText device, LogText reasons);

    [LoggerMessage(1002, LogLevel.Warning, "device: {Id} ({Name}) is passed over: {Problem}")]
    public static partial void DevicePassedOver(ILogger logger, LogText id, LogText name, LogText problem);

    [LoggerMessage(1010, LogLevel.Debug, "opencl: {Name}: {Failure}")]
    public static partial void ExtensionFailed(ILogger logger, LogText name, LogText failure);

    [LoggerMessage(1020, LogLevel.Warning,
        "{Device}: memory is short, so {FreedMebibytes:F0} MiB that were kept for later requests were freed for {NeededMebibytes:F0} MiB "
        + "(of {TotalMebibytes:F0} MiB).")]
    public static partial void MemoryFreed(
        ILogger logger, LogText device, double freedMebibytes, double neededMebibytes, double totalMebibytes);

    [LoggerMessage(1030, LogLevel.Information, "compiling {Kernels} for {Device} (first time only)")]
    public static partial void Compiling(ILogger logger, LogText kernels, LogText device);

    [LoggerMessage(1031, LogLevel.Information, "compiling kernels for {Device}: {Done} of {Total}")]
    public static partial void CompilingOn(ILogger logger, LogText device, int done, int total);

    [LoggerMessage(1032, LogLevel.Information, "compiled {Kernels} for {Device} in {Seconds:F1} s")]
    public static partial void Compiled(ILogger logger, LogText kernels, LogText device, double seconds);

    [LoggerMessage(1033, LogLevel.Debug,
        "{Device}: {Kernel}: translated in {TranslationMilliseconds:F0} ms, built by the driver in {DriverMilliseconds:F0} ms")]
    public static partial void KernelBuilt(
        ILogger logger, LogText device, LogText kernel, double translationMilliseconds, double driverMilliseconds);

    [LoggerMessage(1040, LogLevel.Warning, "kernel cache: {File} is damaged ({Problem}); the kernel is compiled again.")]
    public static partial void CacheFileDamaged(ILogger logger, LogText file, LogText problem);

    [LoggerMessage(1041, LogLevel.Warning, "kernel cache: {File} cannot be read: {Problem}")]
    public static partial void CacheUnreadable(ILogger logger, LogText file, LogText problem);

    [LoggerMessage(1042, LogLevel.Warning,
        "kernel cache: {File} cannot be written: {Problem} Set {Variable} to a folder that can, or to off.")]
    public static partial void CacheUnwritable(ILogger logger, LogText file, LogText problem, LogText variable);

    [LoggerMessage(1043, LogLevel.Warning,
        "kernel cache: kernels that lie on disk are not used, but compiled again: {Problem}, or set {Variable} to another folder.")]
    public static partial void CacheNotTrusted(ILogger logger, LogText problem, LogText variable);

    [LoggerMessage(1050, LogLevel.Information,
        "kernel pack {Packs}: {Kernel} is not in it, so it is compiled, and others too if they are missing.")]
    public static partial void NotInPack(ILogger logger, LogText packs, LogText kernel);
}
