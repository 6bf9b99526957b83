namespace ILGpuDiffusion.Compute;

/// <summary>A device that does not exist, cannot be used, or failed. The message names the device and what to do.</summary>
public sealed class DeviceException(string message, Exception? inner = null) : Exception(message, inner);
