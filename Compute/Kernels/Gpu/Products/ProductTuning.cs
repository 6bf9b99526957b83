using System.Collections.Immutable;

namespace ILGpuDiffusion.Compute;

/// <summary>What can be set about products in tiles, and what holds without measuring.</summary>
internal static class ProductTuning
{
    private const int LeastDepthOfPart = 256; // of the inner dimension: a part reads and writes its sums once for so many multiply-adds
    private const int PromptRows = 128; // more are those of pictures

    /// <summary>Rows of a tile.</summary>
    public static TuningParameter TileRows { get; } = new("tile_rows", 64, 16, 32, 64, 128);

    /// <summary>Columns of a tile; half of them gate the others in a gated product.</summary>
    public static TuningParameter TileColumns { get; } = new("tile_columns", 128, 32, 64, 128);

    /// <summary>Work items of a group.</summary>
    public static TuningParameter GroupItems { get; } = new("group_items", 256, 64, 256);

    /// <summary>Parts that the inner dimension is cut into, so that few tiles still occupy the whole device. A number at run time: it changes no code.</summary>
    public static TuningParameter DepthParts { get; } = new("depth_parts", 1, 1, 2, 3, 4, 6, 8, 12, 16);

    /// <summary>All of them.</summary>
    public static ImmutableArray<TuningParameter> Parameters { get; } = [TileRows, TileColumns, GroupItems, DepthParts];

    /// <summary>The tile that settings name.</summary>
    public static ProductTile? Tile(KernelSettings settings) => ProductTile.Find(settings[TileRows], settings[TileColumns], settings[GroupItems]);

    /// <summary>The parts that settings ask for, as many as have something to do, and the steps of each.</summary>
    public static (int Parts, int Steps) Parts(KernelSettings settings, ProductTile tile, int depth, int taps)
    {
        int steps = Groups(depth, tile.Depth) * taps, perPart = Groups(steps, Math.Min(settings[DepthParts], steps));
        return (Groups(steps, perPart), perPart);
    }

    /// <summary>Whether a device can run a product so.</summary>
    public static bool Allows(Device device, ProductSize size, KernelSettings settings) => Tile(settings) is { } tile && Fits(((GpuDevice)device).Target, size, tile);

    /// <summary>
    /// Tiles for a device and a product. Per step of the inner dimension a tile of r × c reads r + c numbers for r·c multiply-adds: 16 per byte of float32 at 128 × 128 and 10.7 at
    /// 64 × 128. GPUs compute 10 to 50 times in the time of a byte from their memory, and a few times in that of one from their caches, so the larger one leaves the memory time. Its work
    /// items keep 64 sums, 16 operands and 16 loaded elements: some 115 registers, so that NVIDIA's and AMD's processors hold two groups at once (of 65536 registers, 256 · 128 each) beside 17 KB of
    /// local memory each. Other makers' have half as many registers or fewer: 32 sums, some 70 registers.
    /// Half the columns are enough for products that have no more. A prompt's rows (77, or twice that for guidance) would leave most of a tall tile empty, and up to 16 rows nearly all:
    /// these get tiles of 64 work items, 16 or 32 rows high. The number of rows is asked for no more than that, because other tiles are other kernels, and another picture size should not compile.
    /// </summary>
    public static KernelSettings Start(Device device, ProductSize size)
    {
        var gpu = (GpuDevice)device;
        int rows = size.Rows <= 16 ? 16 : size.Rows <= PromptRows ? 32 : 128, columns = size.Columns <= 64 && !size.IsGated ? 64 : 128;
        if (rows == 128 && !HasManyRegisters(gpu.Target)) rows = 64;
        (int Rows, int Columns, int Items)[] wishes = [(rows, columns, rows >= 64 ? 256 : 64), (32, 128, 64), (64, 64, 64), (32, 64, 64), (16, 128, 64), (64, 128, 256)];
        var tile = wishes.Select(w => ProductTile.Find(w.Rows, w.Columns, w.Items)).First(t => t is not null && Fits(gpu.Target, size, t))!;

        // Small groups come several to a processor. Parts beyond what fills the device only add sums to write.
        int groups = Groups(size.Rows, tile.Rows) * Groups(size.Columns, tile.Columns), wanted = gpu.Units * (tile.Items < 256 ? 6 : 2);
        int parts = Math.Min(wanted / groups, size.Depth * size.Taps / LeastDepthOfPart);
        return KernelSettings.Default.With(TileRows, tile.Rows).With(TileColumns, tile.Columns).With(GroupItems, tile.Items).With(DepthParts, DepthParts.Values.Last(v => v <= Math.Max(1, parts)));
    }

    private static bool Fits(GpuTarget target, ProductSize size, ProductTile tile) =>
        tile.Items <= target.MaxGroupSize && tile.LocalBytes <= target.LocalMemoryBytes && (!size.IsGated || tile.HasTwoColumns);

    private static bool HasManyRegisters(GpuTarget target) =>
        target.Language == GpuLanguage.Ptx || target.Architecture.Contains("nvidia", StringComparison.Ordinal) || target.Architecture.Contains("amd", StringComparison.Ordinal)
        || target.Architecture.Contains("advanced-micro-devices", StringComparison.Ordinal);

    private static int Groups(int count, int size) => (count + size - 1) / size;
}
