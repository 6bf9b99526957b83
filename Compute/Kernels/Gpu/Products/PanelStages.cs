using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The launches of products from packed panels, for processors behind OpenCL: weights packed, once where they are kept so; then rows packed and multiplied, some at a time.</summary>
internal static class PanelStages
{
    private const int PackGroup = 64;

    /// <summary>KiB of the rows that are packed at a time, and stay in a processor's second or third cache while all columns pass by. Fewer take more launches.</summary>
    public static TuningParameter PackedKib { get; } = new("packed_kib", 4096, 256, 512, 1024, 2048, 4096, 8192, 32768);

    /// <summary>The way to compute a product so.</summary>
    public static ProductForm Form { get; } = new("gpu/panels", Of, ScratchBytes, GpuKernel.IsProcessor, _ => true) { Parameters = [PackedKib] };

    private static IEnumerable<GpuStage> Of(GpuProduct product, Tensor? scratch)
    {
        int depth = product.Depth * product.Taps, packedRows = (int)PackedRows(product.Rows, depth, product.Settings);
        int packedColumns = Groups(product.Columns, product.Gated ? PanelProduct.Half : PanelProduct.Columns) * PanelProduct.Columns;
        var shape = Shape.Create([packedColumns, depth]);
        Tensor right;
        long used = 0;
        if (product.Packed is { } kept)
        {
            string form = $"panels of {PanelProduct.Columns} columns{(product.Gated ? ", gated" : "")}{(product.TapsFirst ? ", taps first" : "")}";
            right = new Tensor(kept.Get(product.W, form, shape.Count * sizeof(float), PackNow), 0, DType.Float32, shape);
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
            string pack = product.Image is null ? nameof(PanelProduct.PackRows) : nameof(PanelProduct.PackImage);
            var packing = new GpuArguments().View(product.X).View(left).Int(row).Int(product.Rows).Int(count).Int(product.Depth).Int(product.X.RowPitch);
            product.Image?.Numbers(packing);
            yield return new(KernelSource.Of(typeof(PanelProduct), pack, PackGroup, GpuElements.Of(product.X.DType)), GpuGrid.Over((long)count * product.Taps, PackGroup), packing);
            var arguments = product.ResultViews(new GpuArguments().View(left).View(right)).Int(row).Int(product.Rows).Int(product.Columns).Int(depth).Int(product.Gated ? 1 : 0);
            yield return new(
                KernelSource.Of(typeof(PanelProduct), nameof(PanelProduct.Multiply), 1, product.Types(weight: false, activation: true)),
                new GpuGrid(count / PanelProduct.Rows, packedColumns / PanelProduct.Columns), product.ResultNumbers(arguments));
        }

        GpuStage Pack(Tensor target)
        {
            var (tapStep, placeStep) = product.TapsFirst ? (product.Depth, 1) : (1, product.Taps);
            return new(
                KernelSource.Of(typeof(PanelProduct), nameof(PanelProduct.PackWeights), PackGroup, GpuElements.Of(product.W.DType)), GpuGrid.Over(packedColumns, PackGroup),
                new GpuArguments().View(product.W).View(target).Int(product.Columns).Int(packedColumns).Int(product.Depth).Int(product.Taps).Int(tapStep).Int(placeStep).Int(product.Gated ? 1 : 0));
        }

        void PackNow(DeviceBuffer target) => Pack(new Tensor(target, 0, DType.Float32, shape)).Bind(((GpuBuffer)target).Device, null, product.Cancellation).Run();
    }

    private static long ScratchBytes(ProductSize size) =>
        (PackedRows(size.Rows, size.Depth * size.Taps, size.Settings) + (size.KeepsPacked ? 0 : PackedColumns(size.Columns))) * size.Depth * size.Taps * sizeof(float);

    private static int Groups(int count, int size) => (count + size - 1) / size;

    // Gated columns fill panels by halves, so their two sides are rounded up each.
    private static long PackedColumns(int columns) => (long)Groups(columns, PanelProduct.Columns) * PanelProduct.Columns + PanelProduct.Columns;

    private static long PackedRows(int rows, int depth, KernelSettings settings)
    {
        long most = Math.Max(PanelProduct.Rows, settings[PackedKib] * (1024L / sizeof(float)) / depth / PanelProduct.Rows * PanelProduct.Rows);
        return Math.Min(most, (long)Groups(rows, PanelProduct.Rows) * PanelProduct.Rows);
    }
}
