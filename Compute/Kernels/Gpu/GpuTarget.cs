namespace ILGpuDiffusion.Compute;

/// <summary>What GPU code is generated as.</summary>
internal enum GpuLanguage
{
    /// <summary>NVIDIA's assembly text, loaded by the CUDA driver.</summary>
    Ptx,

    /// <summary>OpenCL C 1.2 text, compiled by the device's OpenCL driver.</summary>
    OpenCl,
}

/// <summary>
/// All that generated code depends on, in plain words: equal targets share artifacts, on disk too. <see cref="Driver"/> is the exception: only
/// binaries depend on it.
/// </summary>
/// <param name="Language">The form of the code.</param>
/// <param name="Architecture">Such as <c>sm_90</c>, <c>opencl-cpu</c>, <c>opencl-gpu-amd-gfx1100</c>.</param>
/// <param name="NativeHalf">Whether the device computes in float16; storing it works everywhere.</param>
/// <param name="IsCpu">Whether it is an OpenCL device of type CPU, where barriers cost much and a work item should do a vector's work.</param>
/// <param name="MaxGroupSize">Most work items of one group.</param>
/// <param name="LocalMemoryBytes">Shared memory that one group may use.</param>
/// <param name="Driver">Name and version of the driver: part of binaries' keys only.</param>
internal sealed record GpuTarget(GpuLanguage Language, string Architecture, bool NativeHalf, bool IsCpu, int MaxGroupSize, int LocalMemoryBytes, string Driver);
