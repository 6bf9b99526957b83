using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A device does not exist, cannot be used, or failed. The message names the device and what to do; the properties give the same to
/// programs. Driver messages inside it are bounded and escaped (<see cref="OutsideText"/>).
/// </summary>
public sealed class DeviceException(string message, Exception? inner = null) : Exception(OutsideText.Message(message), inner)
{
    /// <summary>The device's <see cref="Device.Id"/>, or the requested id; null if no particular device is meant.</summary>
    public string? Device { get; init; }

    /// <summary>The op or kernel that failed, with its shapes if known; null if none did.</summary>
    public string? Op { get; init; }

    /// <summary>If out of memory, the size of the failed allocation in bytes; else null.</summary>
    public long? NeededBytes { get; init; }

    /// <summary>If out of memory, an upper bound of the free bytes; null if unknown.</summary>
    public long? FreeBytes { get; init; }
}
