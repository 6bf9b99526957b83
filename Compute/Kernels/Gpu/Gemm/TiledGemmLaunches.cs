using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The launches of tiled GEMMs: reordering of filters if needed, the GEMM, and for split-K the reduction.</summary>
internal static class TiledGemmLaunches
{
    private const int ItemsPerProcessor = 512; // resident work items, which limits each to 128 registers

    /// <summary>The tiled GEMM.</summary>
    public static GpuGemmVariant Variant { get; } = new("gpu/tiles", Of, ScratchBytes, device => !GpuKernel.IsProcessor(device), _ => true)
    {
        Parameters = GpuGemmTuning.Parameters,
        Allows = GpuGemmTuning.Allows,
        Start = GpuGemmTuning.Start,
    };

    private static IEnumerable<LaunchSpecification> Of(GpuGemm product, Tensor? scratch)
    {
        GpuGemmTile tile = GpuGemmTuning.Tile(product.Settings)!;
        var (parts, steps) = GpuGemmTuning.Parts(product.Settings, tile, product.Depth, product.KernelPositions);
        var (w, order) = FilterOrder.Of(product, scratch);
        if (order is { } first) yield return first;
        bool wide = Access.IsWide(product.Depth, product.X, w)
            && Access.IsWide(product.Columns, product.Y, product.Bias, product.BatchBias, product.Residual);
        if (parts == 1)
        {
            yield return Whole(product, w, tile, wide);
            yield break;
        }

        int weightRows = product.WeightRows;
        long filters = FilterOrder.ScratchBytes(product.Columns, product.Depth, product.KernelPositions, w.DType,
            product.KernelPositionsFirst);
        var sums = new Tensor(scratch!.Buffer, scratch.Offset + filters, DType.Float32, [parts * product.Rows, weightRows]);
        string kernel = product.Image is null ? nameof(TiledGemm.PlainPart) : nameof(TiledGemm.ImagePart);
        var arguments = new GpuArguments().View("x", product.X).View("w", w).View("sums", sums)
            .Int("rows", product.Rows).Int("columns", weightRows).Int("depth", product.Depth).Int("xPitch", product.X.RowPitch)
            .Int("stepsPerPart", steps);
        product.Image?.Numbers(arguments);
        var grid = new GpuGrid(IntegerMath.CeilDiv(product.Rows, tile.Rows), IntegerMath.CeilDiv(weightRows, tile.Columns), parts);
        yield return new(Source(kernel, tile,
            [.. product.Types(weight: true, activation: false, bias: false), .. tile.Types, Access.Of(wide)]), grid, arguments);
        yield return Join(product, sums, parts, wide);
    }

    private static LaunchSpecification Whole(GpuGemm product, Tensor w, GpuGemmTile tile, bool wide)
    {
        string kernel = product.Gated ? nameof(TiledGemm.Gated) : product.Image is null ? nameof(TiledGemm.Plain) : nameof(TiledGemm.Image);
        var source = Source(kernel, tile, [.. product.Types(weight: true, activation: !product.Gated), .. tile.Types, Access.Of(wide)]);
        var arguments = product.Gated
            ? product.Sizes(new GpuArguments().View("x", product.X).View("w", w).View("bias", product.Bias).View("y", product.Y))
                .Int("terms", product.Terms).Int("yPitch", product.Y.RowPitch)
            : product.Operands(w);
        product.Image?.Numbers(arguments);
        return new(source, new GpuGrid(IntegerMath.CeilDiv(product.Rows, tile.Rows),
            IntegerMath.CeilDiv(product.Columns, product.Gated ? tile.Columns / 2 : tile.Columns)), arguments);
    }

    private static LaunchSpecification Join(GpuGemm product, Tensor sums, int parts, bool wide)
    {
        Type[] types = [.. product.Types(weight: false, activation: !product.Gated), Access.Of(wide)];
        var source = KernelSource.Of(typeof(SplitKReduction), product.Gated ? nameof(SplitKReduction.Gated) : nameof(SplitKReduction.Plain),
            SplitKReduction.GroupSize, types);
        var grid = GpuGrid.Over((long)product.Rows * IntegerMath.CeilDiv(product.Columns, Access.Width), SplitKReduction.GroupSize);
        return product.Gated
            ? new(source, grid, Sizes(new GpuArguments().View("sums", sums).View("bias", product.Bias).View("y", product.Y))
                .Int("terms", product.Terms).Int("yPitch", product.Y.RowPitch))
            : new(source, grid, product.ResultNumbers(Sizes(product.ResultViews(new GpuArguments().View("sums", sums)))));

        GpuArguments Sizes(GpuArguments views) => views.Int("rows", product.Rows).Int("columns", product.Columns).Int("count", parts);
    }

    private static KernelSource Source(string kernel, GpuGemmTile tile, Type[] types) =>
        KernelSource.Of(typeof(TiledGemm), kernel, tile.Items, types) with { GroupsPerProcessor = ItemsPerProcessor / tile.Items };

    private static long ScratchBytes(GemmSize size)
    {
        GpuGemmTile tile = GpuGemmTuning.Tile(size.Settings)!;
        int parts = GpuGemmTuning.Parts(size.Settings, tile, size.Depth, size.KernelPositions).Parts;
        return FilterOrder.ScratchBytes(size.Columns, size.Depth, size.KernelPositions, size.Weight, size.KernelPositionsFirst)
            + (parts == 1 ? 0 : (long)parts * size.Rows * size.Columns * sizeof(float));
    }
}
