using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A CPU kernel. Nothing is compiled ahead: the JIT compiles the generic instance that <paramref name="bind"/> names.</summary>
internal sealed class CpuKernel(Func<OpCall, Launch> bind, Func<OpSignature, long>? scratchBytes = null,
    Func<OpSignature, long?>? overlapLead = null) : Kernel
{
    /// <summary>
    /// A variant with one kernel for all signatures. By default it supports Float32 activations only;
    /// <see cref="KernelVariant.SupportsTypes"/> overrides that.
    /// </summary>
    public static KernelVariant Variant(string name, Func<OpCall, Launch> bind, Func<OpSignature, long>? scratchBytes = null,
        Func<OpSignature, long?>? overlapLead = null) =>
        new(name, Backends.Cpu, (_, _) => new CpuKernel(bind, scratchBytes, overlapLead)) { SupportsTypes = IsFloat32 };

    /// <summary>A variant that widens, narrows or copies elements of any type.</summary>
    public static KernelVariant VariantOfAnyType(string name, Func<OpCall, Launch> bind) =>
        Variant(name, bind) with { SupportsTypes = static _ => true };

    // The first argument is an activation in all ops that compute; parameters after it are widened where they are read.
    private static bool IsFloat32(OpSignature signature) => !Is16Bit(signature.Inputs[0].DType) && !Is16Bit(signature.Output.DType);

    private static bool Is16Bit(DType dtype) => dtype is DType.Float16 or DType.BFloat16;

    public override long ScratchBytes(OpSignature signature) => scratchBytes?.Invoke(signature) ?? 0;

    public override long? OverlapLead(OpSignature signature) => overlapLead?.Invoke(signature);

    public override Launch Bind(OpCall call) => bind(call);
}
