namespace ILGpuDiffusion.Compute;

/// <summary>One product on tensor cores; see <see cref="TensorCoreProduct"/>.</summary>
internal static class MatMulTensorCores
{
    public static KernelVariant Variant { get; } = TensorCoreStages.Variant(call => [MatMulGpu.Product(call)], signature => [ProductSize.Of(signature)]);
}
