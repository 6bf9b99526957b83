namespace ILGpuDiffusion.Compute;

/// <summary>A product of neighbourhoods and weights (implicit GEMM); a 1×1 kernel needs no neighbourhoods.</summary>
internal static class Conv2DCpu
{
    public static Launch Bind(OpCall call)
    {
        var op = (Conv2D)call.Op;
        var (x, w) = (call.Inputs[0], call.Inputs[1]);
        bool pointwise = w.Shape[2] == 1 && w.Shape[3] == 1 && op is { Stride: 1, PaddingBefore: 0, PaddingAfter: 0 };
        GemmRows rows = pointwise ? new TensorRows(x) : new NeighbourhoodRows(x, call.Output.Shape, w.Shape[2], w.Shape[3], op.Stride, op.PaddingBefore);
        return new GemmLaunch(call, rows, w, call.Inputs.Length > 2 ? call.Inputs[2] : null);
    }
}
