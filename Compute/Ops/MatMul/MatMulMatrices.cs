using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One product with matrix instructions; see <see cref="MatrixProduct"/>.</summary>
internal static class MatMulMatrices
{
    public static KernelVariant[] Variants { get; } = MatrixStages.Variants(call => [MatMulGpu.Product(call)], signature => [ProductSize.Of(signature)]);
}
