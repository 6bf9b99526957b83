using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>What a denoising loop needs beside its models' plans: the scheduler's states on the device, and staging for latents.</summary>
/// <param name="device">The device.</param>
internal sealed class DenoisingContext(Device device) : IDisposable
{
    /// <summary>The device.</summary>
    public Device Device => States.Device;

    /// <summary>Memory of the scheduler's states.</summary>
    public SchedulerStates States { get; } = new(device);

    /// <summary>Host memory for latents.</summary>
    public LatentStaging Staging { get; } = new();

    /// <summary>Frees the device's memory.</summary>
    public void Dispose() => States.Dispose();
}
