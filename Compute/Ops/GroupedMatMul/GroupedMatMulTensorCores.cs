namespace ILGpuDiffusion.Compute;

/// <summary>One product after the other on tensor cores; see <see cref="TensorCoreProduct"/>.</summary>
internal static class GroupedMatMulTensorCores
{
    public static KernelVariant Variant { get; } = TensorCoreStages.Variant(
        GroupedMatMulGpu.Products, signature => Weights(signature).Select(i => ProductSize.Of(signature, i)), signature => Weights(signature).Select(i => signature.Inputs[i].DType));

    private static IEnumerable<int> Weights(OpSignature signature) => Enumerable.Range(1, ((GroupedMatMul)signature.Op).Count);
}
