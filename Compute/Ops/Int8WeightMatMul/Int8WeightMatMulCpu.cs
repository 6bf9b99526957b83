using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// The kernels of <see cref="MatMul"/>: weights are widened and scaled while they are packed, or dot products of few rows scaled.
/// </summary>
internal readonly struct Int8WeightMatMulCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V>
    {
        var epilogue = ((Int8WeightMatMul)call.Op).Epilogue;
        var tiles = TileEpilogue.Of(call, epilogue);
        var arguments = epilogue.Without(call).Inputs;
        var plain = call with { Op = new MatMul(), Inputs = [arguments[0], arguments[1], .. arguments[3..]] };
        Tensor x = arguments[0], w = arguments[1], scale = arguments[2];
        return MatMulCpu.AreFew(x.Shape) ? EpilogueLaunch.After(new FewRowsLaunch<V, StoredInt8>(plain, scale), call, tiles)
            : new GemmLaunch(plain, new TensorRows(x), w, plain.Inputs.Length > 2 ? plain.Inputs[2] : null, tiles, scale);
    }
}
