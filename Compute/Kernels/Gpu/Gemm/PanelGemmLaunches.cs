using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// The launches of packed GEMMs on OpenCL CPU devices: weights are packed, once if the call keeps them; then rows are packed and
/// multiplied, a block at a time.
/// </summary>
internal static class PanelGemmLaunches
{
    private const int PackGroup = 64;

    /// <summary>
    /// KiB of rows packed at a time, which stay in the L2 or L3 cache while all columns are computed. Smaller blocks take more launches.
    /// </summary>
    public static TuningParameter PackedKib { get; } = new("packed_kib", 4096, 256, 512, 1024, 2048, 4096, 8192, 32768);

    /// <summary>The packed GEMM.</summary>
    public static GpuGemmVariant Variant { get; } = new("gpu/panels", Of, ScratchBytes, GpuKernel.IsProcessor,
        _ => true)
    { Parameters = [PackedKib] };

    private static IEnumerable<LaunchSpecification> Of(GpuGemm product, Tensor? scratch)
    {
        int depth = product.Depth * product.KernelPositions, packedRows = (int)PackedRows(product.Rows, depth, product.Settings);
        int packedColumns = IntegerMath.CeilDiv(product.Columns, product.Gated ? PanelGemm.Half : PanelGemm.Columns) * PanelGemm.Columns;
        var shape = Shape.Create([packedColumns, depth]);
        Tensor right;
        long used = 0;
        if (product.Packed is { } kept)
        {
            var layout = new Panels(product.Gated, product.KernelPositionsFirst);
            right = new Tensor(kept.Get(product.W, layout, shape.Count * sizeof(float), PackNow), 0, DType.Float32, shape);
        }
        else
        {
            right = new Tensor(scratch!.Buffer, scratch.Offset, DType.Float32, shape);
            used = shape.Count * sizeof(float);
            yield return Pack(right);
        }

        var left = new Tensor(scratch!.Buffer, scratch.Offset + used, DType.Float32, [packedRows, depth]);
        for (int row = 0; row < product.Rows; row += packedRows)
        {
            int count = (int)PackedRows(Math.Min(packedRows, product.Rows - row), depth, product.Settings);
            string pack = product.Image is null ? nameof(PanelGemm.PackRows) : nameof(PanelGemm.PackImage);
            var packing = new GpuArguments().View("x", product.X).View("panels", left)
                .Int("firstRow", row).Int("rows", product.Rows).Int("packedRows", count).Int("depth", product.Depth)
                .Int("xPitch", product.X.RowPitch);
            product.Image?.Numbers(packing);
            yield return new(KernelSource.Of(typeof(PanelGemm), pack, PackGroup, GpuElements.Of(product.X.DType)),
                GpuGrid.Over((long)count * product.KernelPositions, PackGroup), packing);
            var arguments = product.ResultViews(new GpuArguments().View("a", left).View("b", right))
                .Int("firstRow", row).Int("rows", product.Rows).Int("columns", product.Columns).Int("depth", depth)
                .Int("gated", product.Gated ? 1 : 0);
            yield return new(
                KernelSource.Of(typeof(PanelGemm), nameof(PanelGemm.Multiply), 1, product.Types(weight: false, activation: true)),
                new GpuGrid(count / PanelGemm.Rows, packedColumns / PanelGemm.Columns), product.ResultNumbers(arguments));
        }

        LaunchSpecification Pack(Tensor target)
        {
            var (positionStep, placeStep) = product.KernelPositionsFirst ? (product.Depth, 1) : (1, product.KernelPositions);
            return new(
                KernelSource.Of(typeof(PanelGemm), nameof(PanelGemm.PackWeights), PackGroup, GpuElements.Of(product.W.DType)),
                    GpuGrid.Over(packedColumns, PackGroup),
                new GpuArguments().View("w", product.W).View("panels", target)
                    .Int("columns", product.Columns).Int("packedColumns", packedColumns).Int("depth", product.Depth)
                    .Int("positions", product.KernelPositions).Int("positionStep", positionStep)
                    .Int("placeStep", placeStep).Int("gated", product.Gated ? 1 : 0));
        }

        void PackNow(DeviceBuffer target) =>
            Pack(new Tensor(target, 0, DType.Float32, shape)).Bind(((GpuBuffer)target).Device, null, product.Cancellation).Run();
    }

    private static long ScratchBytes(GemmSize size) =>
        (PackedRows(size.Rows, size.Depth * size.KernelPositions, size.Settings) + (size.KeepsPacked ? 0 : PackedColumns(size.Columns)))
            * size.Depth * size.KernelPositions * sizeof(float);

    // Gated columns fill panels by halves, so value and gate are rounded up separately.
    private static long PackedColumns(int columns) =>
        (long)IntegerMath.CeilDiv(columns, PanelGemm.Columns) * PanelGemm.Columns + PanelGemm.Columns;

    private static long PackedRows(int rows, int depth, KernelSettings settings)
    {
        long most = Math.Max(PanelGemm.Rows, settings[PackedKib] * (1024L / sizeof(float)) / depth / PanelGemm.Rows * PanelGemm.Rows);
        return Math.Min(most, (long)IntegerMath.CeilDiv(rows, PanelGemm.Rows) * PanelGemm.Rows);
    }

    /// <summary>Panels of <see cref="PanelGemm.Columns"/> columns.</summary>
    /// <param name="Gated">Whether half of a panel's columns gate the others.</param>
    /// <param name="KernelPositionsFirst">Whether the weight was already in the order in which images are read.</param>
    private sealed record Panels(bool Gated, bool KernelPositionsFirst) : PackedLayout;
}
