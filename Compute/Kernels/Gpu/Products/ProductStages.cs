using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The launches of a product: which kernels, over which groups.</summary>
internal static class ProductStages
{
    /// <summary>The ways to compute an op that is made of products, best first.</summary>
    /// <param name="products">The products of a call.</param>
    /// <param name="sizes">Their sizes, for a signature.</param>
    public static KernelVariant[] Variants(Func<OpCall, IEnumerable<GpuProduct>> products, Func<OpSignature, IEnumerable<ProductSize>> sizes)
    {
        return [.. Forms.Select(form => GpuKernel.Variant(form.Name, _ => new GpuKernel(
            call => products(call).SelectMany(product => form.Stages(product, call.Scratch)), signature => sizes(signature).Max(form.ScratchBytes))) with
        {
            Suits = form.Suits,
            Fits = signature => sizes(signature).All(form.Fits),
            Tuning = new TuningSpace(form.Parameters)
            {
                ChangesBits = true,
                Allows = (device, signature, settings) => sizes(signature).All(size => form.Allows(device, size, settings)),
                Start = (device, signature) => form.Start(device, sizes(signature).MaxBy(size => size.Columns)),
            },
        })];
    }

    /// <summary>The ways to compute a product, best first.</summary>
    public static IReadOnlyList<ProductForm> Forms { get; } =
    [
        PanelStages.Form,
        new("gpu/rows", (product, _) => [FewRows(product)], _ => 0, device => !GpuKernel.IsProcessor(device), size => size is { Rows: <= RowDotProduct.MostRows, IsPlain: true }),
        TileStages.Form,
    ];

    private static GpuStage FewRows(GpuProduct product)
    {
        bool wide = Access.IsWide(product.Depth, product.X, product.Weights);
        var source = KernelSource.Of(typeof(RowDotProduct), nameof(RowDotProduct.Plain), RowDotProduct.GroupSize, [.. product.Types(weight: true, activation: true), Access.Of(wide)]);
        return new(source, new GpuGrid(product.Columns, product.Rows), product.Operands(product.Weights));
    }
}
