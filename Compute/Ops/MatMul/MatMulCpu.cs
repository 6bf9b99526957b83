namespace ILGpuDiffusion.Compute;

/// <summary>The packed product of all rows at once, or dot products where there are too few rows for packing to pay.</summary>
internal readonly struct MatMulCpu : ISimdBinder
{
    /// <summary>Up to so many rows are dot products: packing a weight takes as long as using it for some 12 rows, but its use costs more than in a tile.</summary>
    public const int FewRows = 8;

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
