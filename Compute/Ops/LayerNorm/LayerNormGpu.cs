using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>One group per row: mean, moments about it, result. Work items keep to their own columns, so y may be x.</summary>
internal static class LayerNormGpu
{
    public static KernelVariant Variant { get; } = RowKernel.Variant(typeof(LayerNormGpu), nameof(Kernel),
        s => [s.Output.DType, RowKernel.TypeOf(s, 1), RowKernel.TypeOf(s, 2)],
        call => RowKernel.Norm(call, ((LayerNorm)call.Op).Epsilon, RowKernel.Parameter(call, 1), RowKernel.Parameter(call, 2)));

    internal static void Kernel<TLanes, T, E, TW, EW, TB, EB>(
        ArrayView<T> x, ArrayView<TW> weight, ArrayView<TB> bias, ArrayView<T> y, int width, int xPitch, int yPitch, float epsilon, int weighted, int biased)
        where TLanes : struct, IGroupLanes
        where T : unmanaged where E : struct, IElement<T> where TW : unmanaged where EW : struct, IElement<TW> where TB : unmanaged where EB : struct, IElement<TB>
    {
        var shared = SharedMemory.Allocate<float>(TLanes.Count);
        int source = Grid.IdxX * xPitch, target = Grid.IdxX * yPitch;
        float sum = 0f;
        for (int i = Group.IdxX; i < width; i += TLanes.Count) sum += E.Widen(x[source + i]);
        float origin = Reduction.Sum<TLanes>(sum, shared) / width;

        // The mean is origin + rest: one float is too few for a large one.
        float first = 0f, second = 0f;
        for (int i = Group.IdxX; i < width; i += TLanes.Count)
        {
            float value = E.Widen(x[source + i]) - origin;
            first += value;
            second = DeviceMath.Fma(value, value, second);
        }

        float rest = Reduction.Sum<TLanes>(first, shared) / width;
        float variance = Reduction.Sum<TLanes>(second, shared) / width - rest * rest;
        float scale = DeviceMath.Rsqrt((variance > 0f ? variance : 0f) + epsilon), shift = -rest * scale;
        for (int i = Group.IdxX; i < width; i += TLanes.Count)
        {
            float value = DeviceMath.Fma(E.Widen(x[source + i]) - origin, scale, shift);
            if (weighted != 0) value *= EW.Widen(weight[i]);
            if (biased != 0) value += EB.Widen(bias[i]);
            y[target + i] = E.Narrow(value);
        }
    }
}
