namespace ILGpuDiffusion.Compute.Devices;

/// <summary>What a kernel is translated to.</summary>
internal enum GpuLanguage
{
    /// <summary>NVIDIA's assembly language, which the CUDA driver finishes.</summary>
    Ptx,

    /// <summary>OpenCL C, which the OpenCL driver compiles.</summary>
    OpenCl,
}

/// <summary>What generated code depends on. Devices that are equal here share artifacts.</summary>
/// <param name="Language">What the driver takes.</param>
/// <param name="Architecture"><c>sm_90</c>; or an OpenCL device in plain words, such as <c>opencl-cpu</c> and <c>opencl-gpu-amd-gfx1100</c>.</param>
/// <param name="NativeHalf">Whether the device computes in 16-bit floats (cl_khr_fp16; every CUDA device does).</param>
/// <param name="IsCpu">An OpenCL device that is a processor: kernels without barriers suit it best.</param>
/// <param name="MaxGroupSize">Most work items of one group.</param>
/// <param name="LocalMemoryBytes">Most local (CUDA: shared) memory of one group.</param>
/// <param name="Driver">Name and version; part of the keys of driver binaries only.</param>
internal sealed record GpuTarget(GpuLanguage Language, string Architecture, bool NativeHalf, bool IsCpu, int MaxGroupSize, int LocalMemoryBytes, string Driver)
{
    /// <summary>What it can do beside plain arithmetic.</summary>
    public GpuFeatures Features { get; init; } = GpuFeatures.None;

    /// <summary>A CUDA device by its compute capability, such as 9, 0 for <c>sm_90</c>.</summary>
    public static GpuTarget Cuda(int major, int minor, string driver = "") =>
        new(GpuLanguage.Ptx, $"sm_{major}{minor}", NativeHalf: true, IsCpu: false, MaxGroupSize: 1024, LocalMemoryBytes: 49152, driver) { Features = GpuFeatures.Cuda(major, minor) };

    /// <summary>A processor behind OpenCL, such as PoCL.</summary>
    public static GpuTarget OpenClCpu(string driver = "") =>
        new(GpuLanguage.OpenCl, "opencl-cpu", NativeHalf: false, IsCpu: true, MaxGroupSize: 4096, LocalMemoryBytes: 65536, driver);

    /// <summary>What the text depends on.</summary>
    public string CodeIdentity => $"{Language} {Architecture}{(NativeHalf ? " half" : "")}{(IsCpu ? " cpu" : "")} | {Features.CodeIdentity}";
}
