using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The kernels of a device: compiled kernels and tuning results.</summary>
public static class DeviceKernels
{
    extension(Device device)
    {
        /// <summary>The device's compiled kernels.</summary>
        public KernelCache Kernels => device.Attached(static d => new KernelCache(d));

        /// <summary>
        /// Tuning results of this device: the tables shipped with the library and the user's own (<see cref="TuningTable.Open"/>). Set
        /// another table before the first kernel is chosen.
        /// </summary>
        public TuningTable Tuning
        {
            get => device.Attached(static d => TuningTable.Open(d));
            set => device.Attach(value);
        }
    }
}
