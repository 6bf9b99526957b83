using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A device that does not exist, cannot be used, or failed. The message names the device and what to do; the properties say the same to programs.
/// What drivers put into the message is bounded and made visible (<see cref="OutsideText"/>).
/// </summary>
public sealed class DeviceException(string message, Exception? inner = null) : Exception(OutsideText.Message(message), inner)
{
    /// <summary>The device's <see cref="Device.Id"/>, or what was asked for in its place; null where no certain one is meant.</summary>
    public string? Device { get; init; }

    /// <summary>The op or kernel that failed, with its shapes where they are known; null where it was none.</summary>
    public string? Op { get; init; }

    /// <summary>Where memory is short, how many bytes one allocation needs; else null.</summary>
    public long? NeededBytes { get; init; }

    /// <summary>Where memory is short, how many bytes are free, at most; null where nobody knows.</summary>
    public long? FreeBytes { get; init; }
}
