using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One GEMM after the other, each into its own columns; the first quantises the rows for all.</summary>
internal readonly struct GroupedQuantizedMatMulCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new SequenceLaunch([.. GroupedQuantizedMatMul.Calls(call)
        .Select((part, i) => new QuantizedMatMulLaunch<V>(part, null, Int8Gemm.Best, quantizes: i == 0))]);

    /// <summary>Scratch bytes: those of one op, since they depend on x alone.</summary>
    public static long ScratchBytes(OpSignature signature) => QuantizedMatMulCpu.ScratchBytes(signature);
}
