using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Algorithms;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// One group per entry: latents are small. Both variances, then the scaling; work items access only their own elements at the end, so y may
/// be the guided prediction.
/// </summary>
internal static class RescaleGuidanceGpu
{
    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/entries", static (target, signature) =>
    {
        var lanes = GroupLanes.Of(target);
        return new GpuKernel(KernelSource.Of(typeof(RescaleGuidanceGpu), nameof(Kernel), lanes.Count, lanes.Type), Bind);
    });

    private static (GpuGrid, GpuArguments) Bind(OpCall call)
    {
        Tensor guided = ElementGrid.Indexed(call.Inputs[0]), text = ElementGrid.Indexed(call.Inputs[1]),
            y = ElementGrid.Indexed(call.Output);
        return (new GpuGrid(Math.Max(1, y.Shape[0])), new GpuArguments()
            .View("guided", guided).View("text", text).View("phi", call.Inputs[2]).View("y", y)
            .Int("rows", y.Rows / Math.Max(y.Shape[0], 1)).Int("width", y.Width)
            .Int("guidedPitch", guided.RowPitch).Int("textPitch", text.RowPitch).Int("yPitch", y.RowPitch));
    }

    internal static void Kernel<TLanes>(
        ArrayView<float> guided, ArrayView<float> text, ArrayView<float> phi, ArrayView<float> y, int rows, int width, int guidedPitch,
            int textPitch, int yPitch)
        where TLanes : struct, IGroupLanes
    {
        var shared = SharedMemory.Allocate<float>(TLanes.Count);
        int count = rows * width, firstRow = Grid.IdxX * rows;
        float ratio = XMath.Sqrt(Variance<TLanes>(text, firstRow, count, width, textPitch, shared))
            / XMath.Sqrt(Variance<TLanes>(guided, firstRow, count, width, guidedPitch, shared));
        float share = phi[0], factor = DeviceMath.Fma(share, ratio, 1f - share);
        for (int i = Group.IdxX; i < count; i += TLanes.Count)
        {
            int row = firstRow + i / width, column = i % width;
            y[row * yPitch + column] = guided[row * guidedPitch + column] * factor;
        }
    }

    // Unbiased; 0 / 0 for one element, as in PyTorch.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Variance<TLanes>(ArrayView<float> x, int firstRow, int count, int width, int pitch, ArrayView<float> shared)
        where TLanes : struct, IGroupLanes
    {
        float sum = 0f;
        for (int i = Group.IdxX; i < count; i += TLanes.Count) sum += x[(firstRow + i / width) * pitch + i % width];
        float origin = Reduction.Sum<TLanes>(sum, shared) / count, first = 0f, second = 0f;
        for (int i = Group.IdxX; i < count; i += TLanes.Count)
        {
            float value = x[(firstRow + i / width) * pitch + i % width] - origin;
            first += value;
            second = DeviceMath.Fma(value, value, second);
        }

        first = Reduction.Sum<TLanes>(first, shared);
        second = Reduction.Sum<TLanes>(second, shared) - first * first / count;
        return (second > 0f ? second : 0f) / (count - 1);
    }
}
