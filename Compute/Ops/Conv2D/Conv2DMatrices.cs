using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Implicit GEMM with matrix instructions; see <see cref="MatrixGemm"/>.</summary>
internal static class Conv2DMatrices
{
    public static KernelVariant[] Variants { get; } =
        MatrixGemmLaunches.Variants(call => [Conv2DGpu.Gemm(call)], signature => [GemmSize.Of(signature)]);
}
