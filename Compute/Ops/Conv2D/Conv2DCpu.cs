namespace ILGpuDiffusion.Compute;

/// <summary>A product of neighbourhoods and weights (implicit GEMM); a 1×1 kernel needs no neighbourhoods.</summary>
internal static class Conv2DCpu
{
    public static Launch Bind(OpCall call)
    {
        var op = (Conv2D)call.Op;
        var plain = op.Epilogue.Without(call);
        var (x, w) = (plain.Inputs[0], plain.Inputs[1]);
        GemmRows rows = op.IsPointwise(w.Type) ? new TensorRows(x) : new NeighbourhoodRows(x, call.Output.Shape, w.Shape[2], w.Shape[3], op.Stride, op.PaddingBefore);
        return new GemmLaunch(plain, rows, w, plain.Inputs.Length > 2 ? plain.Inputs[2] : null, TileEpilogue.Of(call, op.Epilogue));
    }
}
