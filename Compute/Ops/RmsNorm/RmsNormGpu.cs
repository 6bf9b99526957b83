using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>One group per row: mean square, result. Work items keep to their own columns, so y may be x.</summary>
internal static class RmsNormGpu
{
    public static KernelVariant Variant { get; } = RowKernel.Variant(typeof(RmsNormGpu), nameof(Kernel),
        s => [s.Output.DType, RowKernel.TypeOf(s, 1)],
        call => RowKernel.Norm(call, ((RmsNorm)call.Op).Epsilon, RowKernel.Parameter(call, 1)));

    internal static void Kernel<TLanes, T, E, TW, EW>(ArrayView<T> x, ArrayView<TW> weight, ArrayView<T> y, int width, int xPitch, int yPitch, float epsilon, int weighted)
        where TLanes : struct, IGroupLanes where T : unmanaged where E : struct, IElement<T> where TW : unmanaged where EW : struct, IElement<TW>
    {
        var shared = SharedMemory.Allocate<float>(TLanes.Count);
        int source = Grid.IdxX * xPitch, target = Grid.IdxX * yPitch;
        float sum = 0f;
        for (int i = Group.IdxX; i < width; i += TLanes.Count)
        {
            float value = E.Widen(x[source + i]);
            sum = DeviceMath.Fma(value, value, sum);
        }

        float scale = DeviceMath.Rsqrt(Reduction.Sum<TLanes>(sum, shared) / width + epsilon);
        for (int i = Group.IdxX; i < width; i += TLanes.Count)
        {
            float value = E.Widen(x[source + i]) * scale;
            if (weighted != 0) value *= EW.Widen(weight[i]);
            y[target + i] = E.Narrow(value);
        }
    }
}
