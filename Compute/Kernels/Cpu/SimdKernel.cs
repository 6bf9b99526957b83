using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Binds a launch for a register width; see <see cref="SimdKernel.Bind{TBinder}"/>.</summary>
internal interface ISimdBinder
{
    /// <summary>Binds the generic kernel's instance for <typeparamref name="V"/>.</summary>
    static abstract Launch Bind<V>(OpCall call) where V : struct, ISimd<V>;
}

/// <summary>Selects the register width, once per launch and never inside a loop.</summary>
internal static class SimdKernel
{
    /// <summary>Binds a kernel for the widest registers that are fast on this processor.</summary>
    public static Launch Bind<TBinder>(OpCall call) where TBinder : ISimdBinder =>
        SimdWidth.Bits == 512 ? TBinder.Bind<Simd512>(call)
        : SimdWidth.Bits >= 256 ? TBinder.Bind<Simd256>(call)
        : TBinder.Bind<Simd128>(call);

    /// <summary>A <c>cpu/simd</c> kernel variant that is bound with <see cref="Bind{TBinder}"/>.</summary>
    public static KernelVariant Variant<TBinder>(Func<OpSignature, long>? scratchBytes = null) where TBinder : ISimdBinder =>
        CpuKernel.Variant("cpu/simd", Bind<TBinder>, scratchBytes);
}
