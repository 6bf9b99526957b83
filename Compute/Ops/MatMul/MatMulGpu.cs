using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One GEMM; see <see cref="GpuGemmVariants"/> for its implementations.</summary>
internal static class MatMulGpu
{
    public static KernelVariant[] Variants { get; } =
        GpuGemmVariants.Variants(call => [Gemm(call)], signature => [GemmSize.Of(signature)]);

    internal static GpuGemm Gemm(OpCall call)
    {
        var epilogue = ((MatMul)call.Op).Epilogue;
        return GpuGemm.Of(epilogue.Without(call), call, epilogue);
    }
}
