using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Quantises all rows into scratch memory, then multiplies the integers in packed tiles.</summary>
internal readonly struct QuantizedMatMulCpu : ISimdBinder
{
    /// <summary>KiB of a part's packed columns: they stay in the L2 cache, which is 512 KiB on many processors without AVX-512.</summary>
    public static TuningParameter PackedKib { get; } = new("packed_kib", SimdWidth.Bits == 512 ? 768 : 320, 96, 192, 320, 480, 768, 1152);

    /// <summary>Tuning parameters. Sums of integers are exact, so none of them changes a bit.</summary>
    public static TuningSpace Tuning { get; } = new(PackedKib, GemmTuning.PartRows, GemmTuning.PartsPerThread);

    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => Bind<V>(call, Int8Gemm.Best);

    /// <summary>Binds the kernel for one way to multiply int8.</summary>
    public static Launch Bind<V>(OpCall call, Int8Gemm gemm) where V : struct, ISimd<V>
    {
        var epilogue = ((QuantizedMatMul)call.Op).Epilogue;
        return new QuantizedMatMulLaunch<V>(epilogue.Without(call), TileEpilogue.Of(call, epilogue), gemm);
    }

    /// <summary>
    /// Scratch bytes: quantised rows in whole lanes, plus the rows that a tile may read past them, scales, and the correction of each row's
    /// sums.
    /// </summary>
    public static long ScratchBytes(OpSignature signature) => ScratchBytes(signature, Int8Gemm.Best);

    /// <summary>Scratch bytes for one way to multiply int8.</summary>
    public static long ScratchBytes(OpSignature signature, Int8Gemm gemm)
    {
        Shape x = signature.Inputs[0].Concrete();
        return sizeof(int) * ((long)(x.Rows + gemm.Tile.Rows) * gemm.Lanes(x.Last) + 2L * x.Rows);
    }
}
