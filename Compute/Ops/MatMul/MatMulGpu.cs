using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One product; see <see cref="ProductStages"/> for its forms.</summary>
internal static class MatMulGpu
{
    public static KernelVariant[] Variants { get; } = ProductStages.Variants(call => [Product(call)], signature => [ProductSize.Of(signature)]);

    internal static GpuProduct Product(OpCall call)
    {
        var epilogue = ((MatMul)call.Op).Epilogue;
        return GpuProduct.Of(epilogue.Without(call), call, epilogue);
    }
}
