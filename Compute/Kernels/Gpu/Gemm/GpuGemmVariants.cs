using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The kernel variants of ops that consist of GEMMs.</summary>
internal static class GpuGemmVariants
{
    /// <summary>The variants of an op that consists of GEMMs, best first.</summary>
    /// <param name="products">The GEMMs of a call.</param>
    /// <param name="sizes">Their sizes, for a signature.</param>
    public static KernelVariant[] Variants(Func<OpCall, IEnumerable<GpuGemm>> products, Func<OpSignature, IEnumerable<GemmSize>> sizes)
    {
        return [.. All.Select(variant => GpuKernel.Variant(variant.Name, _ => new GpuKernel(
            call => products(call).SelectMany(product => variant.Launches(product, call.Scratch)),
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
        new("gpu/rows", (product, _) => [FewRows(product)], _ => 0, device => !GpuKernel.IsProcessor(device),
            size => size is { Rows: <= RowDotGemm.MostRows, IsPlain: true }),
        TiledGemmLaunches.Variant,
    ];

    private static LaunchSpecification FewRows(GpuGemm product)
    {
        bool wide = Access.IsWide(product.Depth, product.X, product.Weights);
        var source = KernelSource.Of(typeof(RowDotGemm), nameof(RowDotGemm.Plain), RowDotGemm.GroupSize,
            [.. product.Types(weight: true, activation: true), Access.Of(wide)]);
        return new(source, new GpuGrid(product.Columns, product.Rows), product.Operands(product.Weights));
    }
}
