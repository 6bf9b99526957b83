using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One GEMM after the other with matrix instructions; see <see cref="MatrixGemm"/>.</summary>
internal static class GroupedMatMulMatrices
{
    public static KernelVariant[] Variants { get; } = MatrixGemmLaunches.Variants(
        GroupedMatMulGpu.Gemms, signature => Weights(signature).Select(i => GemmSize.Of(signature, i)),
            signature => Weights(signature).Select(i => signature.Inputs[i].DType));

    private static IEnumerable<int> Weights(OpSignature signature) => Enumerable.Range(1, ((GroupedMatMul)signature.Op).Count);
}
