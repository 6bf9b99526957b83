using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A kernel variant with its settings.</summary>
/// <param name="Variant">The kernel variant.</param>
/// <param name="Settings">Its tuning parameters.</param>
public readonly record struct KernelChoice(KernelVariant Variant, KernelSettings Settings)
{
    /// <summary><c>cpu/packed</c> or <c>cpu/packed part_rows=512</c>.</summary>
    public override string ToString() => Settings.Values.Count == 0 ? Variant.Name : $"{Variant.Name} {Settings}";
}

/// <summary>A kernel that adds settings to the calls it is bound to.</summary>
internal sealed class ConfiguredKernel(Kernel kernel, KernelSettings settings) : Kernel
{
    public override long ScratchBytes(OpSignature signature) => kernel.ScratchBytes(signature with { Settings = settings });

    public override void Prepare(OpCall call) => kernel.Prepare(call with { Settings = settings });

    public override Launch Bind(OpCall call) => kernel.Bind(call with { Settings = settings });
}
