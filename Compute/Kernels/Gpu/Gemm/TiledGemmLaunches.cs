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

    private static IEnumerable<LaunchSpecification> Of(GpuGemm gemm, Tensor? scratch)
    {
        GpuGemmTile tile = GpuGemmTuning.Tile(gemm.Settings)!;
        var (parts, steps) = GpuGemmTuning.Parts(gemm.Settings, tile, gemm.Depth, gemm.KernelPositions);
        var (w, order) = FilterOrder.Of(gemm, scratch);
        if (order is { } first) yield return first;
        bool wide = Access.IsWide(gemm.Depth, gemm.X, w)
            && Access.IsWide(gemm.Columns, gemm.Y, gemm.Bias, gemm.BatchBias, gemm.Residual);
        if (parts == 1)
        {
            yield return Whole(gemm, w, tile, wide);
            yield break;
        }

        int weightRows = gemm.WeightRows;
        long filters = FilterOrder.ScratchBytes(gemm.Columns, gemm.Depth, gemm.KernelPositions, w.DType,
            gemm.KernelPositionsFirst);
        var sums = new Tensor(scratch!.Buffer, scratch.Offset + filters, DType.Float32, [parts * gemm.Rows, weightRows]);
        string kernel = gemm.Image is null ? nameof(TiledGemm.PlainPart) : nameof(TiledGemm.ImagePart);
        var arguments = new GpuArguments().View("x", gemm.X).View("w", w).View("sums", sums)
            .Int("rows", gemm.Rows).Int("columns", weightRows).Int("depth", gemm.Depth).Int("xPitch", gemm.X.RowPitch)
            .Int("stepsPerPart", steps);
        gemm.Image?.Numbers(arguments);
        var grid = new GpuGrid(IntegerMath.CeilDiv(gemm.Rows, tile.Rows), IntegerMath.CeilDiv(weightRows, tile.Columns), parts);
        yield return new(Source(kernel, tile,
            [.. gemm.Types(weight: true, activation: false, bias: false), .. tile.Types, Access.Of(wide)]), grid, arguments);
        yield return Join(gemm, sums, parts, wide);
    }

    private static LaunchSpecification Whole(GpuGemm gemm, Tensor w, GpuGemmTile tile, bool wide)
    {
        string kernel = gemm.Gated ? nameof(TiledGemm.Gated) : gemm.Image is null ? nameof(TiledGemm.Plain) : nameof(TiledGemm.Image);
        var source = Source(kernel, tile, [.. gemm.Types(weight: true, activation: !gemm.Gated), .. tile.Types, Access.Of(wide)]);
        var arguments = gemm.Gated
            ? gemm.Sizes(new GpuArguments().View("x", gemm.X).View("w", w).View("bias", gemm.Bias).View("y", gemm.Y))
                .Int("terms", gemm.Terms).Int("yPitch", gemm.Y.RowPitch)
            : gemm.Operands(w);
        gemm.Image?.Numbers(arguments);
        return new(source, new GpuGrid(IntegerMath.CeilDiv(gemm.Rows, tile.Rows),
            IntegerMath.CeilDiv(gemm.Columns, gemm.Gated ? tile.Columns / 2 : tile.Columns)), arguments);
    }

    private static LaunchSpecification Join(GpuGemm gemm, Tensor sums, int parts, bool wide)
    {
        Type[] types = [.. gemm.Types(weight: false, activation: !gemm.Gated), Access.Of(wide)];
        var source = KernelSource.Of(typeof(SplitKReduction), gemm.Gated ? nameof(SplitKReduction.Gated) : nameof(SplitKReduction.Plain),
            SplitKReduction.GroupSize, types);
        var grid = GpuGrid.Over((long)gemm.Rows * IntegerMath.CeilDiv(gemm.Columns, Access.Width), SplitKReduction.GroupSize);
        return gemm.Gated
            ? new(source, grid, Sizes(new GpuArguments().View("sums", sums).View("bias", gemm.Bias).View("y", gemm.Y))
                .Int("terms", gemm.Terms).Int("yPitch", gemm.Y.RowPitch))
            : new(source, grid, gemm.ResultNumbers(Sizes(gemm.ResultViews(new GpuArguments().View("sums", sums)))));

        GpuArguments Sizes(GpuArguments views) => views.Int("rows", gemm.Rows).Int("columns", gemm.Columns).Int("count", parts);
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
