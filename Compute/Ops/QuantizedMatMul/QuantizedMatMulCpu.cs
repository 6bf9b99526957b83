using System.Runtime.Intrinsics;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>First all rows are quantised into scratch memory, then the integers are multiplied in packed tiles.</summary>
internal readonly struct QuantizedMatMulCpu : ISimdBinder
{
    /// <summary>KiB of a part's packed columns: they stay in the L2 cache, which is 512 KiB on many processors without AVX-512.</summary>
    public static TuningParameter PackedKib { get; } = new("packed_kib", Vector512.IsHardwareAccelerated ? 768 : 320, 96, 192, 320, 480, 768, 1152);

    /// <summary>What can be set. Sums of integers are exact, so none of it changes a bit.</summary>
    public static TuningSpace Tuning { get; } = new(PackedKib, GemmTuning.PartRows, GemmTuning.PartsPerThread);

    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => Bind<V>(call, Int8Gemm.Best);

    /// <summary>Binds a certain way to multiply.</summary>
    public static Launch Bind<V>(OpCall call, Int8Gemm product) where V : struct, ISimd<V>
    {
        var epilogue = ((QuantizedMatMul)call.Op).Epilogue;
        return new QuantizedMatMulLaunch<V>(epilogue.Without(call), TileEpilogue.Of(call, epilogue), product);
    }

    /// <summary>Quantised rows, whole lanes each, as many more as a tile may read past them, their scales, and what is to be taken from their sums.</summary>
    public static long ScratchBytes(OpSignature signature) => ScratchBytes(signature, Int8Gemm.Best);

    /// <summary>The same for a certain way to multiply.</summary>
    public static long ScratchBytes(OpSignature signature, Int8Gemm product)
    {
        Shape x = signature.Inputs[0].Concrete();
        return sizeof(int) * ((long)(x.Rows + product.Tile.Rows) * product.Lanes(x.Last) + 2L * x.Rows);
    }
}
