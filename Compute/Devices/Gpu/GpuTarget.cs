using System.Globalization;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Target language of kernels.</summary>
internal enum GpuLanguage
{
    /// <summary>NVIDIA's PTX, which the CUDA driver assembles.</summary>
    Ptx,

    /// <summary>OpenCL C, which the OpenCL driver compiles.</summary>
    OpenCl,
}

/// <summary>Everything that generated code depends on. Equal targets share artifacts.</summary>
/// <param name="Language">The target language.</param>
/// <param name="Architecture"><c>sm_90</c>; or a description of an OpenCL device, such as <c>opencl-cpu</c> and
/// <c>opencl-gpu-amd-gfx1100</c>.</param>
/// <param name="NativeHalf">Whether the device computes in 16-bit floats (cl_khr_fp16; every CUDA device does).</param>
/// <param name="IsCpu">Whether it is an OpenCL CPU device, for which kernels without barriers are best.</param>
/// <param name="MaxGroupSize">Maximum work items per group.</param>
/// <param name="LocalMemoryBytes">Maximum local (CUDA: shared) memory per group in bytes.</param>
/// <param name="Driver">Name and version; part of the keys of driver binaries only.</param>
internal sealed record GpuTarget(GpuLanguage Language, string Architecture, bool NativeHalf, bool IsCpu, int MaxGroupSize,
    int LocalMemoryBytes, string Driver)
{
    /// <summary>Optional features.</summary>
    public GpuFeatures Features { get; init; } = GpuFeatures.None;

    /// <summary>A CUDA device by its compute capability, such as 9, 0 for <c>sm_90</c>.</summary>
    public static GpuTarget Cuda(int major, int minor, string driver = "") =>
        new(GpuLanguage.Ptx, $"sm_{major}{minor}", NativeHalf: true, IsCpu: false, MaxGroupSize: 1024, LocalMemoryBytes: 49152,
            driver)
        { Features = GpuFeatures.Cuda(major, minor) };

    /// <summary>An OpenCL CPU device, such as PoCL.</summary>
    public static GpuTarget OpenClCpu(string driver = "") =>
        new(GpuLanguage.OpenCl, "opencl-cpu", NativeHalf: false, IsCpu: true, MaxGroupSize: 4096, LocalMemoryBytes: 65536, driver);

    /// <summary>The part that the text depends on.</summary>
    public string CodeIdentity =>
        $"{Language} {TextArchitecture}{(NativeHalf ? " half" : "")}{(IsCpu ? " cpu" : "")} | {Features.CodeIdentity}";

    // PTX is written for at most sm_90 (PtxVersion), so all later GPUs share its texts.
    private string TextArchitecture => Language == GpuLanguage.Ptx && Architecture.StartsWith("sm_", StringComparison.Ordinal)
        && int.TryParse(Architecture.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 90
            ? "sm_90" : Architecture;
}
