namespace ILGpuDiffusion.Compute.Devices;

/// <summary>What is known of a device without opening it.</summary>
/// <param name="Id">As <see cref="DeviceCatalog.Open"/> takes it: <c>cpu</c>, <c>cuda:0</c>, <c>opencl:1</c>.</param>
/// <param name="Name">The product's name.</param>
/// <param name="Backend">How kernels run there.</param>
/// <param name="Architecture">What kernels are generated for; empty where that is not known.</param>
/// <param name="MemoryBytes">All memory that it has.</param>
/// <param name="Driver">The driver's name and version; empty for the processor.</param>
/// <param name="Capabilities">Facts in plain words, such as <c>fp16</c>, <c>132 multiprocessors</c>.</param>
public sealed record DeviceInfo(string Id, string Name, Backends Backend, string Architecture, long MemoryBytes, string Driver, IReadOnlyList<string> Capabilities)
{
    /// <summary>Why it cannot be used; null if it can.</summary>
    public string? Problem { get; init; }

    /// <summary>Whether <c>auto</c> may take it: a GPU that works, or the processor itself. An OpenCL driver for the processor is only slower than our own code.</summary>
    public bool IsChosenByItself { get; init; } = true;
}
