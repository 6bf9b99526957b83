namespace ILGpuDiffusion.Compute;

/// <summary>A CPU kernel: nothing to compile, the JIT has the generic instance that <paramref name="bind"/> names.</summary>
internal sealed class CpuKernel(Func<OpCall, Launch> bind, Func<OpSignature, long>? scratchBytes = null) : Kernel
{
    /// <summary>A variant whose kernel is the same for every signature.</summary>
    public static KernelVariant Variant(string name, Func<OpCall, Launch> bind, Func<OpSignature, long>? scratchBytes = null) =>
        new(name, Backends.Cpu, (_, _) => new CpuKernel(bind, scratchBytes));

    public override long ScratchBytes(OpSignature signature) => scratchBytes?.Invoke(signature) ?? 0;

    public override Launch Bind(OpCall call) => bind(call);
}
