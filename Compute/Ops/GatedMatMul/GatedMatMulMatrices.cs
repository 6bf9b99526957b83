using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Value and gate of a column with matrix instructions; see <see cref="MatrixGemm"/>.</summary>
internal static class GatedMatMulMatrices
{
    public static KernelVariant[] Variants { get; } =
        MatrixGemmLaunches.Variants(call => [GatedMatMulGpu.Gemm(call)], signature => [GemmSize.Of(signature)]);
}
