using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>One way to compute an op.</summary>
/// <param name="Name">Backend and shape, such as <c>cpu/packed</c>; used in logs, results and tuning tables alike.</param>
/// <param name="Backends">Where it runs.</param>
/// <param name="Compile">Makes the kernel for a key.</param>
public sealed record KernelVariant(string Name, Backends Backends, Func<Device, OpSignature, Kernel> Compile)
{
    /// <summary>Whether this way can compute with the element types at hand at all; yes unless set. <see cref="SupportsShape"/> is asked only then.</summary>
    public Func<OpSignature, bool> SupportsTypes { get; init; } = static _ => true;

    /// <summary>Whether this way suits the device, one of a backend that it runs on; yes unless set. Others can still run it, where a test or the tuner asks for it by name.</summary>
    public Func<Device, bool> SupportsDevice { get; init; } = static _ => true;

    /// <summary>Whether this way suits the sizes and attributes at hand; yes unless set.</summary>
    public Func<OpSignature, bool> SupportsShape { get; init; } = static _ => true;

    /// <summary>The part of the op's <see cref="Op.Flops"/> that it really does: 1, and less for an algorithm that saves multiplications.</summary>
    public double WorkShare { get; init; } = 1;

    /// <summary>What can be set about it; nothing unless given.</summary>
    public TuningSpace Tuning { get; init; } = TuningSpace.None;

    /// <summary>This way, set as it is without measuring.</summary>
    public KernelChoice Untuned(Device device, OpSignature signature) => new(this, Tuning.Start(device, signature));
}
