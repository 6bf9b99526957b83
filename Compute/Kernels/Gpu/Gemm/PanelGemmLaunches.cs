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

    private static IEnumerable<LaunchSpecification> Of(GpuGemm gemm, Tensor? scratch)
    {
        int depth = gemm.Depth * gemm.KernelPositions, packedRows = (int)PackedRows(gemm.Rows, depth, gemm.Settings);
        int packedColumns = IntegerMath.CeilDiv(gemm.Columns, gemm.Gated ? PanelGemm.Half : PanelGemm.Columns) * PanelGemm.Columns;
        var shape = Shape.Create([packedColumns, depth]);
        Tensor right;
        long used = 0;
        if (gemm.Packed is { } kept)
        {
            var layout = new Panels(gemm.Gated, gemm.KernelPositionsFirst);
            right = new Tensor(kept.Get(gemm.W, layout, shape.Count * sizeof(float), PackNow), 0, DType.Float32, shape);
        }
        else
        {
            right = new Tensor(scratch!.Buffer, scratch.Offset, DType.Float32, shape);
            used = shape.Count * sizeof(float);
            yield return Pack(right);
        }

        var left = new Tensor(scratch!.Buffer, scratch.Offset + used, DType.Float32, [packedRows, depth]);
        for (int row = 0; row < gemm.Rows; row += packedRows)
        {
            int count = (int)PackedRows(Math.Min(packedRows, gemm.Rows - row), depth, gemm.Settings);
            string pack = gemm.Image is null ? nameof(PanelGemm.PackRows) : nameof(PanelGemm.PackImage);
            var packing = new GpuArguments().View("x", gemm.X).View("panels", left)
                .Int("firstRow", row).Int("rows", gemm.Rows).Int("packedRows", count).Int("depth", gemm.Depth)
                .Int("xPitch", gemm.X.RowPitch);
            gemm.Image?.Numbers(packing);
            yield return new(KernelSource.Of(typeof(PanelGemm), pack, PackGroup, GpuElements.Of(gemm.X.DType)),
                GpuGrid.Over((long)count * gemm.KernelPositions, PackGroup), packing);
            var arguments = gemm.ResultViews(new GpuArguments().View("a", left).View("b", right))
                .Int("firstRow", row).Int("rows", gemm.Rows).Int("columns", gemm.Columns).Int("depth", depth)
                .Int("gated", gemm.Gated ? 1 : 0);
            yield return new(
                KernelSource.Of(typeof(PanelGemm), nameof(PanelGemm.Multiply), 1, gemm.Types(weight: false, activation: true)),
                new GpuGrid(count / PanelGemm.Rows, packedColumns / PanelGemm.Columns), gemm.ResultNumbers(arguments));
        }

        LaunchSpecification Pack(Tensor target)
        {
            var (positionStep, placeStep) = gemm.KernelPositionsFirst ? (gemm.Depth, 1) : (1, gemm.KernelPositions);
            return new(
                KernelSource.Of(typeof(PanelGemm), nameof(PanelGemm.PackWeights), PackGroup, GpuElements.Of(gemm.W.DType)),
                    GpuGrid.Over(packedColumns, PackGroup),
                new GpuArguments().View("w", gemm.W).View("panels", target)
                    .Int("columns", gemm.Columns).Int("packedColumns", packedColumns).Int("depth", gemm.Depth)
                    .Int("positions", gemm.KernelPositions).Int("positionStep", positionStep)
                    .Int("placeStep", placeStep).Int("gated", gemm.Gated ? 1 : 0));
        }

        void PackNow(DeviceBuffer target) =>
            Pack(new Tensor(target, 0, DType.Float32, shape)).Bind(((GpuBuffer)target).Device, null, gemm.Cancellation).Run();
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
