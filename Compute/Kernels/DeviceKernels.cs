using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>What a device computes with: its compiled kernels, and what was measured about them.</summary>
public static class DeviceKernels
{
    extension(Device device)
    {
        /// <summary>The device's compiled kernels.</summary>
        public KernelCache Kernels => device.Attached(static d => new KernelCache(d));

        /// <summary>
        /// What was measured about this device's kernels: tables that come with the library, and the user's own (<see cref="TuningTable.Open"/>). Another table is
        /// set before the first kernel is chosen.
        /// </summary>
        public TuningTable Tuning
        {
            get => device.Attached(static d => TuningTable.Open(d));
            set => device.Attach(value);
        }
    }
}
