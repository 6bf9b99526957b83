using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The launches of products in tiles: filters put into order where they are not yet, the product, and where its inner dimension was cut the joining of its parts.</summary>
internal static class TileStages
{
    private const int ItemsPerProcessor = 512; // with as many at once, the driver keeps each work item at 128 registers

    /// <summary>The way to compute a product so.</summary>
    public static ProductForm Form { get; } = new("gpu/tiles", Of, ScratchBytes, device => !GpuKernel.IsProcessor(device), _ => true)
    {
        Parameters = ProductTuning.Parameters,
        Allows = ProductTuning.Allows,
        Start = ProductTuning.Start,
    };

    private static IEnumerable<GpuStage> Of(GpuProduct product, Tensor? scratch)
    {
        ProductTile tile = ProductTuning.Tile(product.Settings)!;
        var (parts, steps) = ProductTuning.Parts(product.Settings, tile, product.Depth, product.Taps);
        var (w, order) = FilterOrder.Of(product, scratch);
        if (order is { } first) yield return first;
        bool wide = Access.IsWide(product.Depth, product.X, w) && Access.IsWide(product.Columns, product.Y, product.Bias, product.Entry, product.Residual);
        if (parts == 1)
        {
            yield return Whole(product, w, tile, wide);
            yield break;
        }

        int weightRows = product.WeightRows;
        long filters = FilterOrder.ScratchBytes(product.Columns, product.Depth, product.Taps, w.DType, product.TapsFirst);
        var sums = new Tensor(scratch!.Buffer, scratch.Offset + filters, DType.Float32, [parts * product.Rows, weightRows]);
        string kernel = product.Image is null ? nameof(TiledProduct.PlainPart) : nameof(TiledProduct.ImagePart);
        var arguments = new GpuArguments().View(product.X).View(w).View(sums).Int(product.Rows).Int(weightRows).Int(product.Depth).Int(product.X.RowPitch).Int(steps);
        product.Image?.Numbers(arguments);
        var grid = new GpuGrid(Groups(product.Rows, tile.Rows), Groups(weightRows, tile.Columns), parts);
        yield return new(Source(kernel, tile, [.. product.Types(weight: true, activation: false, bias: false), .. tile.Types, Access.Of(wide)]), grid, arguments);
        yield return Join(product, sums, parts, wide);
    }

    private static GpuStage Whole(GpuProduct product, Tensor w, ProductTile tile, bool wide)
    {
        string kernel = product.Gated ? nameof(TiledProduct.Gated) : product.Image is null ? nameof(TiledProduct.Plain) : nameof(TiledProduct.Image);
        var source = Source(kernel, tile, [.. product.Types(weight: true, activation: !product.Gated), .. tile.Types, Access.Of(wide)]);
        var arguments = product.Gated
            ? new GpuArguments().View(product.X).View(w).View(product.Bias).View(product.Y)
                .Int(product.Rows).Int(product.Columns).Int(product.Depth).Int(product.X.RowPitch).Int(product.Parts).Int(product.Y.RowPitch)
            : product.Operands(w);
        product.Image?.Numbers(arguments);
        return new(source, new GpuGrid(Groups(product.Rows, tile.Rows), Groups(product.Columns, product.Gated ? tile.Columns / 2 : tile.Columns)), arguments);
    }

    private static GpuStage Join(GpuProduct product, Tensor sums, int parts, bool wide)
    {
        Type[] types = [.. product.Types(weight: false, activation: !product.Gated), Access.Of(wide)];
        var source = KernelSource.Of(typeof(JoinedParts), product.Gated ? nameof(JoinedParts.Gated) : nameof(JoinedParts.Plain), JoinedParts.GroupSize, types);
        var grid = GpuGrid.Over((long)product.Rows * Groups(product.Columns, Access.Width), JoinedParts.GroupSize);
        return product.Gated
            ? new(source, grid, new GpuArguments().View(sums).View(product.Bias).View(product.Y).Int(product.Rows).Int(product.Columns).Int(parts).Int(product.Parts).Int(product.Y.RowPitch))
            : new(source, grid, product.ResultNumbers(product.ResultViews(new GpuArguments().View(sums)).Int(product.Rows).Int(product.Columns).Int(parts)));
    }

    private static KernelSource Source(string kernel, ProductTile tile, Type[] types) =>
        KernelSource.Of(typeof(TiledProduct), kernel, tile.Items, types) with { GroupsPerProcessor = ItemsPerProcessor / tile.Items };

    private static long ScratchBytes(ProductSize size)
    {
        ProductTile tile = ProductTuning.Tile(size.Settings)!;
        int parts = ProductTuning.Parts(size.Settings, tile, size.Depth, size.Taps).Parts;
        return FilterOrder.ScratchBytes(size.Columns, size.Depth, size.Taps, size.Weight, size.TapsFirst) + (parts == 1 ? 0 : (long)parts * size.Rows * size.Columns * sizeof(float));
    }

    private static int Groups(int count, int size) => (count + size - 1) / size;
}
