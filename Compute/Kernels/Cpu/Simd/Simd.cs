using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ILGpuDiffusion.Compute;

/// <summary>Makes a launch for a register width: what a kernel gives to <see cref="Simd.Bind{TBinder}"/>.</summary>
internal interface ISimdBinder
{
    /// <summary>Binds the generic kernel's instance for <typeparamref name="V"/>.</summary>
    static abstract Launch Bind<V>(OpCall call) where V : struct, ISimd<V>;
}

/// <summary>Chooses the register width, once per launch and never inside a loop, and handles the ends of rows.</summary>
internal static unsafe class Simd
{
    /// <summary>Binds a kernel at the widest registers that the processor is fast with.</summary>
    public static Launch Bind<TBinder>(OpCall call) where TBinder : ISimdBinder =>
        Vector512.IsHardwareAccelerated ? TBinder.Bind<Simd512>(call)
        : Vector256.IsHardwareAccelerated ? TBinder.Bind<Simd256>(call)
        : TBinder.Bind<Simd128>(call);

    /// <summary>A kernel variant <c>cpu/simd</c> that is bound this way.</summary>
    public static KernelVariant Variant<TBinder>(Func<OpSignature, long>? scratchBytes = null) where TBinder : ISimdBinder =>
        CpuKernel.Variant("cpu/simd", Bind<TBinder>, scratchBytes);

    // Inlined and free of calls: a call would take every sum that is alive there out of its register, and the compiler does so inside the loop before it.

    /// <summary>Reads the last, incomplete register of a row; missing lanes are <paramref name="missing"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V LoadPartial<V>(float* source, int count, float missing = 0) where V : struct, ISimd<V> => V.LoadFirst(source, count, V.Create(missing));

    /// <summary>Writes the first lanes of a register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial<V>(V value, float* target, int count) where V : struct, ISimd<V> => V.StoreFirst(value, target, count);
}
