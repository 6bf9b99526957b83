namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The APIs through which kernels run.</summary>
[Flags]
public enum Backends
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>SIMD code on the CPU.</summary>
    Cpu = 1,

    /// <summary>PTX on an NVIDIA GPU.</summary>
    Cuda = 2,

    /// <summary>OpenCL C on any OpenCL device.</summary>
    OpenCL = 4,
}
