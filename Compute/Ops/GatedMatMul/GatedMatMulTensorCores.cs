namespace ILGpuDiffusion.Compute;

/// <summary>Both sides of a column on tensor cores; see <see cref="TensorCoreProduct"/>.</summary>
internal static class GatedMatMulTensorCores
{
    public static KernelVariant Variant { get; } = TensorCoreStages.Variant(call => [GatedMatMulGpu.Product(call)], signature => [ProductSize.Of(signature)]);
}
