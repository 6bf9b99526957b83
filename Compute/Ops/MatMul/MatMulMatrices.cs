using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One GEMM with matrix instructions; see <see cref="MatrixGemm"/>.</summary>
internal static class MatMulMatrices
{
    public static KernelVariant[] Variants { get; } =
        MatrixGemmLaunches.Variants(call => [MatMulGpu.Gemm(call)], signature => [GemmSize.Of(signature)]);
}
