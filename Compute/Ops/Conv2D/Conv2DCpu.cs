using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Implicit GEMM of im2col rows and weights; a 1×1 kernel is a plain GEMM.</summary>
internal static class Conv2DCpu
{
    public static Launch Bind(OpCall call)
    {
        var op = (Conv2D)call.Op;
        if (op.IsPointwise(call.Inputs[1].Type)) return SimdKernel.Bind<MatMulCpu>(call with { Op = new MatMul(op.Epilogue) });
        var plain = op.Plain(call);
        var w = plain.Inputs[1];
        var rows = new Im2colRows(new SeenImage(op, call), call.Output.Shape, w.Shape[2], w.Shape[3], op.Stride, op.PaddingBefore);
        return new GemmLaunch(plain, rows, w, plain.Inputs.Length > 2 ? plain.Inputs[2] : null, TileEpilogue.Of(call, op.Epilogue));
    }
}
