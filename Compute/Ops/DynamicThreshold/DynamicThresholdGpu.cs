using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// One group per entry: latents are small. The bits of non-negative floats sort like the numbers, so the two elements around the quantile
/// are found bit by bit by counting, exactly and without atomics. In the last pass, work items access only their own elements, so y may be
/// x.
/// </summary>
internal static class DynamicThresholdGpu
{
    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/entries", static (target, signature) =>
    {
        var lanes = GroupLanes.Of(target);
        return new GpuKernel(KernelSource.Of(typeof(DynamicThresholdGpu), nameof(Kernel), lanes.Count, lanes.Type), Bind);
    });

    private static (GpuGrid, GpuArguments) Bind(OpCall call)
    {
        var (op, x, y) = ((DynamicThreshold)call.Op, ElementGrid.Indexed(call.Inputs[0]), ElementGrid.Indexed(call.Output));
        int rows = x.Rows / Math.Max(x.Shape[0], 1), count = checked(rows * x.Width);
        float rank = (float)op.Ratio * (count - 1); // as torch.quantile: in float32
        int lower = (int)Math.Min((long)rank, count - 1);
        return (new GpuGrid(Math.Max(1, x.Shape[0])), new GpuArguments().View("x", x).View("y", y)
            .Int("rows", rows).Int("width", x.Width).Int("xPitch", x.RowPitch).Int("yPitch", y.RowPitch)
            .Int("lower", lower).Float("weight", rank - lower).Float("most", (float)op.MaxValue));
    }

    internal static void Kernel<TLanes>(ArrayView<float> x, ArrayView<float> y, int rows, int width, int xPitch, int yPitch, int lower,
        float weight, float most) where TLanes : struct, IGroupLanes
    {
        var shared = SharedMemory.Allocate<int>(TLanes.Count);
        int count = rows * width, firstRow = Grid.IdxX * rows;

        // The largest value with no more than rank smaller ones is the element at the rank.
        int found = 0;
        for (int bit = 1 << 30; bit > 0; bit >>= 1)
        {
            int candidate = found + bit, below = 0;
            for (int i = Group.IdxX; i < count; i += TLanes.Count) below += Magnitude(x, firstRow, i, width, xPitch) < candidate ? 1 : 0;
            found = Reduction.Sum<TLanes>(below, shared) <= lower ? candidate : found;
        }

        int upTo = 0, above = int.MaxValue, unordered = 0;
        for (int i = Group.IdxX; i < count; i += TLanes.Count)
        {
            int bits = Magnitude(x, firstRow, i, width, xPitch);
            upTo += bits <= found ? 1 : 0;
            above = bits > found && bits < above ? bits : above;
            unordered += bits > 0x7F800000 ? 1 : 0;
        }

        upTo = Reduction.Sum<TLanes>(upTo, shared);
        above = Reduction.Min<TLanes>(above, shared);
        unordered = Reduction.Sum<TLanes>(unordered, shared);
        float a = Interop.IntAsFloat((uint)found), b = upTo > lower + 1 ? a : Interop.IntAsFloat((uint)above);
        float quantile = weight < 0.5f ? a + weight * (b - a) : b - (b - a) * (1f - weight);
        quantile = weight <= 0f || lower + 1 >= count ? a : quantile;
        float limit = quantile > 1f ? quantile : 1f;
        limit = limit < most ? limit : most;
        limit = unordered > 0 ? Interop.IntAsFloat(0x7FC00000u) : limit;
        for (int i = Group.IdxX; i < count; i += TLanes.Count)
        {
            int row = firstRow + i / width, column = i % width;
            float value = x[row * xPitch + column];
            value = value < -limit ? -limit : value > limit ? limit : value;
            y[row * yPitch + column] = value / limit;
        }
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
    private static int Magnitude(ArrayView<float> x, int firstRow, int i, int width, int pitch) =>
        (int)(Interop.FloatAsInt(x[(firstRow + i / width) * pitch + i % width]) & 0x7FFFFFFFu);
}
