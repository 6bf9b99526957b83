namespace ILGpuDiffusion.Compute;

/// <summary>The packed product of all rows at once, or dot products where there are too few rows for packing to pay.</summary>
internal readonly struct MatMulCpu : ISimdBinder
{
    // Packing a weight takes as long as using it for some 25 rows; but its use here costs more than in a tile.
    private const int FewRows = 8;

    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V>
    {
        var epilogue = ((MatMul)call.Op).Epilogue;
        var tiles = TileEpilogue.Of(call, epilogue);
        var plain = epilogue.Without(call);
        Tensor x = plain.Inputs[0], w = plain.Inputs[1];
        if (x.Rows > FewRows) return new GemmLaunch(plain, new TensorRows(x), w, plain.Inputs.Length > 2 ? plain.Inputs[2] : null, tiles);
        return EpilogueLaunch.After(
            w.DType switch
            {
                DType.BFloat16 => new FewRowsLaunch<V, StoredBFloat16>(plain),
                DType.Float16 => new FewRowsLaunch<V, StoredFloat16>(plain),
                _ => new FewRowsLaunch<V, StoredFloat32>(plain),
            },
            call, tiles);
    }
}
