using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>A packed GEMM of all rows at once, or dot products if there are too few rows for packing to pay.</summary>
internal readonly struct MatMulCpu : ISimdBinder
{
    private const int FewRows = 8; // packing a weight takes as long as using it for some 12 rows, but its use costs more than in a tile
    private const int FewEntries = 64;

    /// <summary>
    /// Whether to use dot products, which add in another order than tiles. The rows of one batch entry decide: the bits of an image must
    /// not depend on the rest of its batch. Each row of a matrix is an entry, such as a timestep embedding: for up to
    /// <see cref="FewEntries"/> of them the time is negligible either way.
    /// </summary>
    public static bool AreFew(Shape x)
    {
        if (x.Rank <= 2) return x.Rows <= FewEntries;
        int entries = x[0];
        return x.Rows <= (long)FewRows * entries;
    }

    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V>
    {
        var epilogue = ((MatMul)call.Op).Epilogue;
        var tiles = TileEpilogue.Of(call, epilogue);
        var plain = epilogue.Without(call);
        Tensor x = plain.Inputs[0], w = plain.Inputs[1];
        return AreFew(x.Shape) ? EpilogueLaunch.After(DotProducts<V>(plain), call, tiles)
            : new GemmLaunch(plain, new TensorRows(x), w, plain.Inputs.Length > 2 ? plain.Inputs[2] : null, tiles);
    }

    /// <summary>The GEMM without epilogue, by dot products.</summary>
    public static CpuLaunch DotProducts<V>(OpCall plain) where V : struct, ISimd<V> => plain.Inputs[1].DType switch
    {
        DType.BFloat16 => new FewRowsLaunch<V, StoredBFloat16>(plain),
        DType.Float16 => new FewRowsLaunch<V, StoredFloat16>(plain),
        _ => new FewRowsLaunch<V, StoredFloat32>(plain),
    };
}
