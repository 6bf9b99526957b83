namespace ILGpuDiffusion.Compute;

/// <summary>The launches of a product: which kernels, over which groups.</summary>
internal static class ProductStages
{
    private const int PackGroup = 64;
    private const long PackedRowBytes = 32L << 20; // of one launch on a processor: neighbourhoods take nine times the image

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
        })];
    }

    /// <summary>The ways to compute a product, best first.</summary>
    public static IReadOnlyList<ProductForm> Forms { get; } =
    [
        new("gpu/panels", Panels, size => (PackedRows(size.Rows, size.Depth * size.Taps) + PackedColumns(size.Columns)) * size.Depth * size.Taps * sizeof(float), GpuKernel.IsProcessor, _ => true),
        new("gpu/rows", (product, _) => [FewRows(product)], _ => 0, IsGpu, size => size is { Rows: <= RowDotProduct.MostRows, IsPlain: true }),
        new("gpu/tiles", Tiles, size => size.Taps == 1 ? 0 : (long)size.Columns * size.Depth * size.Taps * size.Weight.Size(), IsGpu, _ => true),
    ];

    private static bool IsGpu(Device device) => !GpuKernel.IsProcessor(device);

    private static GpuStage FewRows(GpuProduct product)
    {
        var source = KernelSource.Of(typeof(RowDotProduct), nameof(RowDotProduct.Plain), RowDotProduct.GroupSize, product.Types(weight: true, activation: true));
        return new(source, new GpuGrid(product.Columns, product.Rows), Operands(product, product.W));
    }

    private static IEnumerable<GpuStage> Tiles(GpuProduct product, Tensor? scratch)
    {
        Tensor w = product.W;
        int rowGroups = Groups(product.Rows, TiledProduct.Rows), columnGroups = Groups(product.Columns, product.Gated ? TiledProduct.Half : TiledProduct.Columns);
        if (product.Taps > 1)
        {
            w = new Tensor(scratch!.Buffer, scratch.Offset, w.DType, [product.Columns, product.Depth * product.Taps]);
            int count = checked((int)w.Shape.Count);
            var order = KernelSource.Of(typeof(FilterOrder), nameof(FilterOrder.Kernel), FilterOrder.GroupSize, GpuElements.Bits(w.DType));
            yield return new(order, GpuGrid.Over(count, FilterOrder.GroupSize), new GpuArguments().View(product.W).View(w).Int(count).Int(product.Depth).Int(product.Taps));
        }

        string kernel = product.Gated ? nameof(TiledProduct.Gated) : product.Image is null ? nameof(TiledProduct.Plain) : nameof(TiledProduct.Image);
        var source = KernelSource.Of(typeof(TiledProduct), kernel, TiledProduct.GroupSize, product.Types(weight: true, activation: !product.Gated));
        var arguments = product.Gated
            ? new GpuArguments().View(product.X).View(w).View(product.Bias).View(product.Y)
                .Int(product.Rows).Int(product.Columns).Int(product.Depth).Int(product.X.RowPitch).Int(product.Parts).Int(product.Y.RowPitch)
            : Operands(product, w);
        product.Image?.Numbers(arguments);
        yield return new(source, new GpuGrid(rowGroups, columnGroups), arguments);
    }

    private static IEnumerable<GpuStage> Panels(GpuProduct product, Tensor? scratch)
    {
        int depth = product.Depth * product.Taps, packedRows = (int)PackedRows(product.Rows, depth);
        int packedColumns = Groups(product.Columns, product.Gated ? PanelProduct.Half : PanelProduct.Columns) * PanelProduct.Columns;
        var right = new Tensor(scratch!.Buffer, scratch.Offset, DType.Float32, [packedColumns, depth]);
        var left = new Tensor(scratch.Buffer, scratch.Offset + right.Shape.Count * sizeof(float), DType.Float32, [packedRows, depth]);
        yield return new(
            KernelSource.Of(typeof(PanelProduct), nameof(PanelProduct.PackWeights), PackGroup, GpuElements.Of(product.W.DType)), GpuGrid.Over(packedColumns, PackGroup),
            new GpuArguments().View(product.W).View(right).Int(product.Columns).Int(packedColumns).Int(product.Depth).Int(product.Taps).Int(product.Gated ? 1 : 0));
        for (int row = 0; row < product.Rows; row += packedRows)
        {
            int count = (int)PackedRows(Math.Min(packedRows, product.Rows - row), depth);
            string pack = product.Image is null ? nameof(PanelProduct.PackRows) : nameof(PanelProduct.PackImage);
            var packing = new GpuArguments().View(product.X).View(left).Int(row).Int(product.Rows).Int(count).Int(product.Depth).Int(product.X.RowPitch);
            product.Image?.Numbers(packing);
            yield return new(KernelSource.Of(typeof(PanelProduct), pack, PackGroup, GpuElements.Of(product.X.DType)), GpuGrid.Over((long)count * product.Taps, PackGroup), packing);
            var arguments = product.ResultViews(new GpuArguments().View(left).View(right)).Int(row).Int(product.Rows).Int(product.Columns).Int(depth).Int(product.Gated ? 1 : 0);
            yield return new(
                KernelSource.Of(typeof(PanelProduct), nameof(PanelProduct.Multiply), 1, product.Types(weight: false, activation: true)),
                new GpuGrid(packedColumns / PanelProduct.Columns, count / PanelProduct.Rows), product.ResultNumbers(arguments));
        }
    }

    private static GpuArguments Operands(GpuProduct product, Tensor w) => product.ResultNumbers(
        product.ResultViews(new GpuArguments().View(product.X).View(w)).Int(product.Rows).Int(product.Columns).Int(product.Depth).Int(product.X.RowPitch));

    private static int Groups(int count, int size) => (count + size - 1) / size;

    // Gated columns fill panels by halves, so their two sides are rounded up each.
    private static long PackedColumns(int columns) => (long)Groups(columns, PanelProduct.Columns) * PanelProduct.Columns + PanelProduct.Columns;

    private static long PackedRows(int rows, int depth)
    {
        long most = Math.Max(PanelProduct.Rows, PackedRowBytes / sizeof(float) / depth / PanelProduct.Rows * PanelProduct.Rows);
        return Math.Min(most, (long)Groups(rows, PanelProduct.Rows) * PanelProduct.Rows);
    }
}

/// <summary>Sizes of one product.</summary>
/// <param name="Rows">Rows of the result.</param>
/// <param name="Columns">Rows of the weight: for a gated product twice the result's columns.</param>
/// <param name="Depth">Elements of one tap.</param>
/// <param name="Taps">Places of the filter.</param>
/// <param name="Weight">How weights are stored.</param>
/// <param name="IsPlain">Whether it is neither gated nor a convolution.</param>
internal readonly record struct ProductSize(int Rows, int Columns, int Depth, int Taps, DType Weight, bool IsPlain = true)
{
    /// <summary>Of y = x·wᵀ in a signature.</summary>
    public static ProductSize Of(OpSignature signature, int weight = 1, bool isPlain = true)
    {
        Shape w = signature.Inputs[weight].Concrete();
        return new(signature.Output.Concrete().Rows, w[0], w[1], w.Rank == 4 ? w[2] * w[3] : 1, signature.Inputs[weight].DType, isPlain);
    }
}

/// <summary>A way to compute a product.</summary>
/// <param name="Name">The variants' name.</param>
/// <param name="Stages">Its launches, with working memory.</param>
/// <param name="ScratchBytes">How much working memory.</param>
/// <param name="Suits">The devices that it is for.</param>
/// <param name="Fits">The sizes that it can do.</param>
internal sealed record ProductForm(
    string Name, Func<GpuProduct, Tensor?, IEnumerable<GpuStage>> Stages, Func<ProductSize, long> ScratchBytes, Func<Device, bool> Suits, Func<ProductSize, bool> Fits);
