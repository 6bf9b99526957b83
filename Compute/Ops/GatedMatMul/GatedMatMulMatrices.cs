using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Both sides of a column with matrix instructions; see <see cref="MatrixProduct"/>.</summary>
internal static class GatedMatMulMatrices
{
    public static KernelVariant[] Variants { get; } = MatrixStages.Variants(call => [GatedMatMulGpu.Product(call)], signature => [ProductSize.Of(signature)]);
}
