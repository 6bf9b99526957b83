using ILGPU;
using ILGPU.Algorithms;

namespace ILGpuDiffusion.Compute;

/// <summary>One group per row: maximum, sum of exponentials, result. Work items keep to their own columns, so y may be x.</summary>
internal static class SoftmaxGpu
{
    public static KernelVariant Variant { get; } = RowKernel.Variant(typeof(SoftmaxGpu), nameof(Kernel), s => [s.Output.DType], call =>
    {
        var (x, y) = (ElementGrid.Indexed(call.Inputs[0]), ElementGrid.Indexed(call.Output));
        return new GpuArguments().View(x).View(y).Int(y.Width).Int(x.RowPitch).Int(y.RowPitch).Int(((Softmax)call.Op).Logarithm ? 1 : 0);
    });

    internal static void Kernel<TLanes, T, E>(ArrayView<T> x, ArrayView<T> y, int width, int xPitch, int yPitch, int logarithm)
        where TLanes : struct, IGroupLanes where T : unmanaged where E : struct, IElement<T>
    {
        var shared = SharedMemory.Allocate<float>(TLanes.Count);
        int source = Grid.IdxX * xPitch, target = Grid.IdxX * yPitch;
        float max = Interop.IntAsFloat(0xFF800000u); // −∞
        for (int i = Group.IdxX; i < width; i += TLanes.Count)
        {
            float value = E.Widen(x[source + i]);
            max = value > max ? value : max;
        }

        max = Reduction.Max<TLanes>(max, shared);
        float sum = 0f;
        for (int i = Group.IdxX; i < width; i += TLanes.Count) sum += DeviceFunctions.Exp(E.Widen(x[source + i]) - max);
        sum = Reduction.Sum<TLanes>(sum, shared);
        float factor = 1f / sum, summand = XMath.Log(sum);
        for (int i = Group.IdxX; i < width; i += TLanes.Count)
        {
            float value = E.Widen(x[source + i]) - max;
            y[target + i] = E.Narrow(logarithm != 0 ? value - summand : DeviceFunctions.Exp(value) * factor);
        }
    }
}
