using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Algorithms;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One group per row: maximum, sum of exponentials, result. Work items access only their own columns, so y may be x.</summary>
internal static class SoftmaxGpu
{
    public static KernelVariant Variant { get; } = RowKernel.Variant(typeof(SoftmaxGpu), nameof(Kernel), s => [s.Output.DType], call =>
    {
        var (x, y) = (ElementGrid.Indexed(call.Inputs[0]), ElementGrid.Indexed(call.Output));
        return new GpuArguments().View("x", x).View("y", y)
            .Int("width", y.Width).Int("xPitch", x.RowPitch).Int("yPitch", y.RowPitch)
            .Int("logarithm", ((Softmax)call.Op).Logarithm ? 1 : 0);
    }, access: true);

    internal static void Kernel<TLanes, T, E, TAccess>(ArrayView<T> x, ArrayView<T> y, int width, int xPitch, int yPitch, int logarithm)
        where TLanes : struct, IGroupLanes where T : unmanaged where E : struct, IElement<T> where TAccess : struct, IAccess
    {
        var shared = SharedMemory.Allocate<float>(TLanes.Count);
        int source = Grid.IdxX * xPitch, target = Grid.IdxX * yPitch;
        int together = TAccess.Wide ? 4 : 1, start = together * Group.IdxX, step = together * TLanes.Count;
        float max = Interop.IntAsFloat(0xFF800000u); // −∞
        for (int i = start; i < width; i += step)
        {
            if (TAccess.Wide)
            {
                Float4 values = E.Widen4(E.Fetch4(x, source + i));
                max = Larger(Larger(Larger(Larger(max, values.X), values.Y), values.Z), values.W);
                continue;
            }

            float value = E.Widen(x[source + i]);
            max = value > max ? value : max;
        }

        max = Reduction.Max<TLanes>(max, shared);
        float sum = 0f;
        for (int i = start; i < width; i += step)
            sum += TAccess.Wide ? Exponentials(E.Widen4(E.Fetch4(x, source + i)).Less(max)).Total
                : DeviceFunctions.Exp(E.Widen(x[source + i]) - max);
        sum = Reduction.Sum<TLanes>(sum, shared);
        float factor = 1f / sum, summand = XMath.Log(sum);
        for (int i = start; i < width; i += step)
        {
            if (TAccess.Wide)
            {
                Float4 values = E.Widen4(E.Fetch4(x, source + i)).Less(max);
                E.Store4(y, target + i, logarithm != 0 ? values.Less(summand)
                    : Exponentials(values) * new Float4(factor, factor, factor, factor));
                continue;
            }

            float value = E.Widen(x[source + i]) - max;
            y[target + i] = E.Narrow(logarithm != 0 ? value - summand : DeviceFunctions.Exp(value) * factor);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Larger(float max, float value) => value > max ? value : max;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Exponentials(Float4 x) =>
        new(DeviceFunctions.Exp(x.X), DeviceFunctions.Exp(x.Y), DeviceFunctions.Exp(x.Z), DeviceFunctions.Exp(x.W));
}
