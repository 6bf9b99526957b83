namespace ILGpuDiffusion.Compute;

/// <summary>The packed product of all rows at once, or dot products where there are too few rows for packing to pay.</summary>
internal readonly struct MatMulCpu : ISimdBinder
{
    // Packing a weight takes as long as using it for some 25 rows; but its use here costs more than in a tile.
    private const int FewRows = 8;

    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V>
    {
        Tensor x = call.Inputs[0], w = call.Inputs[1];
        if (x.Rows > FewRows) return new GemmLaunch(call, new TensorRows(x), w, call.Inputs.Length > 2 ? call.Inputs[2] : null);
        return w.DType switch
        {
            DType.BFloat16 => new FewRowsLaunch<V, StoredBFloat16>(call),
            DType.Float16 => new FewRowsLaunch<V, StoredFloat16>(call),
            _ => new FewRowsLaunch<V, StoredFloat32>(call),
        };
    }
}
