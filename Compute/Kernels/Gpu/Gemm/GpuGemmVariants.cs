using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The kernel variants of ops that consist of GEMMs.</summary>
internal static class GpuGemmVariants
{
    /// <summary>The variants of an op that consists of GEMMs, best first.</summary>
    /// <param name="gemms">The GEMMs of a call.</param>
    /// <param name="sizes">Their sizes, for a signature.</param>
    public static KernelVariant[] Variants(Func<OpCall, IEnumerable<GpuGemm>> gemms, Func<OpSignature, IEnumerable<GemmSize>> sizes)
    {
        return [.. All.Select(variant => GpuKernel.Variant(variant.Name, _ => new GpuKernel(
            call => gemms(call).SelectMany(gemm => variant.Launches(gemm, call.Scratch)),
                signature => sizes(signature).Max(variant.ScratchBytes))) with
        {
            SupportsDevice = variant.SupportsDevice,
            SupportsShape = signature => sizes(signature).All(variant.SupportsSize),
            Tuning = new TuningSpace(variant.Parameters)
            {
                ChangesBits = true,
                Allows = (device, signature, settings) => sizes(signature).All(size => variant.Allows(device, size, settings)),
                Start = (device, signature) => variant.Start(device, sizes(signature).MaxBy(size => size.Columns)),
            },
        })];
    }

    /// <summary>All ways to compute a GEMM, best first.</summary>
    public static IReadOnlyList<GpuGemmVariant> All { get; } =
    [
        PanelGemmLaunches.Variant,
        new("gpu/rows", (gemm, _) => [FewRows(gemm)], _ => 0, device => !GpuKernel.IsProcessor(device),
            size => size is { Rows: <= RowDotGemm.MostRows, IsPlain: true }),
        TiledGemmLaunches.Variant,
    ];

    private static LaunchSpecification FewRows(GpuGemm gemm)
    {
        bool wide = Access.IsWide(gemm.Depth, gemm.X, gemm.Weights);
        var source = KernelSource.Of(typeof(RowDotGemm), nameof(RowDotGemm.Plain), RowDotGemm.GroupSize,
            [.. gemm.Types(weight: true, activation: true), Access.Of(wide)]);
        return new(source, new GpuGrid(gemm.Columns, gemm.Rows), gemm.Operands(gemm.Weights));
    }
}
