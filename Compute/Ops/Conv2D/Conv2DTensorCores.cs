namespace ILGpuDiffusion.Compute;

/// <summary>The product of neighbourhoods and filters on tensor cores; see <see cref="TensorCoreProduct"/>.</summary>
internal static class Conv2DTensorCores
{
    public static KernelVariant Variant { get; } = TensorCoreStages.Variant(call => [Conv2DGpu.Product(call)], signature => [ProductSize.Of(signature)]);
}
