using System.Collections.Immutable;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Tuning parameters of tiled GEMMs, and their untuned values.</summary>
/// <remarks>The parameters' own defaults are for <c>QuantizedMatMulGpu</c>: its integers stay exact in a tile that sums over blocks of K
/// first, and then over the blocks.</remarks>
internal static class GpuGemmTuning
{
    private const int LeastDepthOfPart = 256; // of the inner dimension: a part reads and writes its sums once for so many multiply-adds
    private const int PromptRows = 128; // more are those of images

    /// <summary>Rows of a tile.</summary>
    public static TuningParameter TileRows { get; } = new("tile_rows", 64, 16, 32, 64, 128);

    /// <summary>Columns of a tile; in a gated GEMM half of them are the gate's.</summary>
    public static TuningParameter TileColumns { get; } = new("tile_columns", 64, 32, 64, 128);

    /// <summary>Work items of a group.</summary>
    public static TuningParameter GroupItems { get; } = new("group_items", 256, 64, 256);

    /// <summary>
    /// Split-K: parts of K that are computed by different groups, so that few tiles still occupy the whole device. A run-time number: it
    /// changes no code.
    /// </summary>
    public static TuningParameter SplitK { get; } = new("split_k", 1, 1, 2, 3, 4, 6, 8, 12, 16);

    /// <summary>All parameters.</summary>
    public static ImmutableArray<TuningParameter> Parameters { get; } = [TileRows, TileColumns, GroupItems, SplitK];

    /// <summary>The tile that settings select.</summary>
    public static GpuGemmTile? Tile(KernelSettings settings) =>
        GpuGemmTile.Find(settings[TileRows], settings[TileColumns], settings[GroupItems]);

    /// <summary>Parts of K for these settings, no more than have work, and the steps of each.</summary>
    public static (int Parts, int Steps) Parts(KernelSettings settings, GpuGemmTile tile, int depth, int positions)
    {
        int steps = IntegerMath.CeilDiv(depth, tile.Depth) * positions,
            perPart = IntegerMath.CeilDiv(steps, Math.Min(settings[SplitK], steps));
        return (IntegerMath.CeilDiv(steps, perPart), perPart);
    }

    /// <summary>Whether a device can run a GEMM with these settings.</summary>
    public static bool Allows(Device device, GemmSize size, KernelSettings settings) =>
        Tile(settings) is { } tile && Fits(((GpuDevice)device).Target, size, tile);

    /// <summary>
    /// Untuned tiles for a device and a GEMM. Per k, a tile of r × c reads r + c numbers for r·c multiply-adds: 16 per byte of float32 at
    /// 128 × 128 and 10.7 at 64 × 128. GPUs compute 10 to 50 multiply-adds in the time of a byte from memory, and a few in that of a byte
    /// from their caches, so the larger tile is not limited by memory. Its work items keep 64 sums, 16 operands and 16 loaded elements: 103
    /// to 115 registers by ptxas, so that NVIDIA's and AMD's processors hold two groups at once (of 65536 registers, 256 · 128 each) with
    /// 17 KB of local memory each. Other vendors' processors have half as many registers or fewer: 32 sums, 64 to 72 registers.
    /// GEMMs with few columns take the narrowest tiles. A prompt's rows (77, or twice that for guidance) would leave most of a tall tile
    /// empty and occupy few processors: they get 32 rows and 64 work items. The number of rows decides nothing else, because other tiles
    /// are other kernels, and another image size should not compile.
    /// </summary>
    public static KernelSettings Start(Device device, GemmSize size)
    {
        var gpu = (GpuDevice)device;
        int height = HasManyRegisters(gpu.Target) ? 128 : 64;
        (int Rows, int Columns, int Items) wish = size.Columns <= 32 && !size.IsGated ? (64, 32, 64)
            : size.Rows <= PromptRows ? (32, 128, 64)
            : (height, size.Columns <= 64 && !size.IsGated ? 64 : 128, 256);
        // fallbacks for devices with small groups or little local memory
        (int Rows, int Columns, int Items)[] wishes = [wish, (64, 64, 64), (32, 64, 64), (16, 128, 64), (64, 128, 256)];
        var tile = wishes.Select(w => GpuGemmTile.Find(w.Rows, w.Columns, w.Items)).First(t => t is not null && Fits(gpu.Target, size, t))!;

        // A processor holds several small groups. More parts of K than fill the device only add partial sums to write.
        int groups = IntegerMath.CeilDiv(size.Rows, tile.Rows) * IntegerMath.CeilDiv(size.Columns, tile.Columns),
            wanted = gpu.Units * (tile.Items < 256 ? 6 : 2);
        int parts = Math.Min(wanted / groups, size.Depth * size.KernelPositions / LeastDepthOfPart);
        return KernelSettings.Default.With(TileRows, tile.Rows).With(TileColumns, tile.Columns).With(GroupItems, tile.Items)
            .With(SplitK, SplitK.Values.Last(v => v <= Math.Max(1, parts)));
    }

    private static bool Fits(GpuTarget target, GemmSize size, GpuGemmTile tile) =>
        tile.Items <= target.MaxGroupSize && tile.LocalBytes <= target.LocalMemoryBytes && (!size.IsGated || tile.HasTwoColumns);

    private static bool HasManyRegisters(GpuTarget target) =>
        target.Language == GpuLanguage.Ptx || target.Architecture.Contains("nvidia", StringComparison.Ordinal)
            || target.Architecture.Contains("amd", StringComparison.Ordinal)
        || target.Architecture.Contains("advanced-micro-devices", StringComparison.Ordinal);
}
