using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One work item computes value and gate of a column, so that the [..., 2N] value is never stored.</summary>
internal static class GatedMatMulGpu
{
    public static KernelVariant[] Variants { get; } =
        GpuGemmVariants.Variants(call => [Gemm(call)], signature => [GemmSize.Of(signature, isGated: true)]);

    internal static GpuGemm Gemm(OpCall call) =>
        new(call.Inputs[0], call.Inputs[1], call.Inputs.Length > 2 ? call.Inputs[2] : null, call.Output,
            Gated: true)
        { Settings = call.Settings, Packed = call.Packed };
}
