using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Computes tiles of both halves together and applies the gate while they are in the cache; for few rows, the GEMM and then the gate.
/// </summary>
internal readonly struct GatedMatMulCpu : ISimdBinder
{
    public static long ScratchBytes(OpSignature signature)
    {
        Shape y = signature.Output.Concrete();
        return !MatMulCpu.AreFew(y) ? 0 : (long)y.Rows * 2 * y.Last * sizeof(float);
    }

    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V>
    {
        Tensor x = call.Inputs[0], y = call.Output;
        if (!MatMulCpu.AreFew(y.Shape)) return new GatedMatMulLaunch<V>(call);
        var wide = new Tensor(call.Scratch!.Buffer, call.Scratch.Offset, DType.Float32, [y.Rows, 2 * y.Width]);
        Tensor flatX = new(x.Buffer, x.Offset, x.DType, [x.Rows, x.Width], x.RowPitch),
            flatY = new(y.Buffer, y.Offset, y.DType, [y.Rows, y.Width], y.RowPitch);
        return new SequenceLaunch(
            [
                MatMulCpu.DotProducts<V>(call
                    with { Op = new MatMul(), Inputs = [flatX, .. call.Inputs[1..]], Output = wide, Scratch = null }),
                GeGluCpu.Bind<V>(call with { Op = new GeGlu(), Inputs = [wide], Output = flatY, Scratch = null }),
            ]);
    }
}
