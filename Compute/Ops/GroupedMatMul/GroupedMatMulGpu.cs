using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One GEMM after the other, each into its own columns.</summary>
internal static class GroupedMatMulGpu
{
    public static KernelVariant[] Variants { get; } = GpuGemmVariants.Variants(
        Gemms, signature => Enumerable.Range(1, ((GroupedMatMul)signature.Op).Count).Select(i => GemmSize.Of(signature, i)));

    internal static IEnumerable<GpuGemm> Gemms(OpCall call)
    {
        int count = ((GroupedMatMul)call.Op).Count, column = 0;
        bool biased = call.Inputs.Length > 1 + count;
        for (int i = 0; i < count; i++)
        {
            Tensor w = call.Inputs[1 + i];
            yield return new GpuGemm(call.Inputs[0], w, biased ? call.Inputs[1 + count + i] : null,
                call.Output.Columns(column, w.Shape[0]))
            { Settings = call.Settings, Packed = call.Packed };
            column += w.Shape[0];
        }
    }
}
