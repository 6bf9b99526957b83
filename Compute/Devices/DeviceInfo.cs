namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Properties of a device that are known without opening it.</summary>
/// <param name="Id">As <see cref="DeviceCatalog.Open"/> takes it: <c>cpu</c>, <c>cuda:0</c>, <c>opencl:1</c>.</param>
/// <param name="Name">Product name.</param>
/// <param name="Backend">The API through which kernels run.</param>
/// <param name="Architecture">Target of code generation; empty if unknown.</param>
/// <param name="MemoryBytes">Total memory in bytes.</param>
/// <param name="Driver">Name and version of the driver; empty for the CPU.</param>
/// <param name="Capabilities">Features in plain words, such as <c>fp16</c>, <c>132 multiprocessors</c>.</param>
public sealed record DeviceInfo(string Id, string Name, Backends Backend, string Architecture, long MemoryBytes, string Driver,
    IReadOnlyList<string> Capabilities)
{
    /// <summary>Why it cannot be used; null if it can.</summary>
    public string? Problem { get; init; }

    /// <summary>
    /// Whether <c>auto</c> may choose it: a working GPU, or the CPU. An OpenCL driver for the CPU is slower than the CPU kernels.
    /// </summary>
    public bool IsChosenByItself { get; init; } = true;
}
