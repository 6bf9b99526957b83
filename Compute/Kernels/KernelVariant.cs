using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>One implementation of an op.</summary>
/// <param name="Name">Backend and algorithm, such as <c>cpu/packed</c>; the same name in logs, results and tuning tables.</param>
/// <param name="Backends">The backends it runs on.</param>
/// <param name="Compile">Makes the kernel for a key.</param>
public sealed record KernelVariant(string Name, Backends Backends, Func<Device, OpSignature, Kernel> Compile)
{
    /// <summary>
    /// Whether the variant supports the element types; true by default. <see cref="SupportsShape"/> is evaluated only then.
    /// </summary>
    public Func<OpSignature, bool> SupportsTypes { get; init; } = static _ => true;

    /// <summary>
    /// Whether the variant is meant for the device; true by default. Other devices of its backends can still run it if a test or the tuner
    /// names it.
    /// </summary>
    public Func<Device, bool> SupportsDevice { get; init; } = static _ => true;

    /// <summary>Whether the variant supports sizes and attributes; true by default.</summary>
    public Func<OpSignature, bool> SupportsShape { get; init; } = static _ => true;

    /// <summary>
    /// Share of the op's <see cref="Op.Flops"/> that it computes: 1, or less for an algorithm that saves multiplications.
    /// </summary>
    public double WorkShare { get; init; } = 1;

    /// <summary>Tuning parameters; none by default.</summary>
    public TuningSpace Tuning { get; init; } = TuningSpace.None;

    /// <summary>This variant with its untuned settings.</summary>
    public KernelChoice Untuned(Device device, OpSignature signature) => new(this, Tuning.Start(device, signature));
}
