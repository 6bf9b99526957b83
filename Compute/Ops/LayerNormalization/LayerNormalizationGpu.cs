using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One group per row: mean, moments about it, result. Work items access only their own columns, so y may be x.</summary>
internal static class LayerNormalizationGpu
{
    public static KernelVariant Variant { get; } = RowKernel.Variant(typeof(LayerNormalizationGpu), nameof(Kernel),
        s => [s.Output.DType, RowKernel.TypeOf(s, 1), RowKernel.TypeOf(s, 2)],
        call => RowKernel.Norm(call, ((LayerNormalization)call.Op).Epsilon,
            ("weight", "weighted", RowKernel.Parameter(call, 1)), ("bias", "biased", RowKernel.Parameter(call, 2))), access: true);

    internal static void Kernel<TLanes, T, E, TW, EW, TB, EB, TAccess>(
        ArrayView<T> x, ArrayView<TW> weight, ArrayView<TB> bias, ArrayView<T> y, int width, int xPitch, int yPitch, float epsilon,
            int weighted, int biased)
        where TLanes : struct, IGroupLanes
        where T : unmanaged where E : struct, IElement<T> where TW : unmanaged where EW : struct, IElement<TW> where TB : unmanaged
            where EB : struct, IElement<TB>
        where TAccess : struct, IAccess
    {
        var shared = SharedMemory.Allocate<float>(TLanes.Count);
        int source = Grid.IdxX * xPitch, target = Grid.IdxX * yPitch;
        int together = TAccess.Wide ? 4 : 1, start = together * Group.IdxX, step = together * TLanes.Count;
        float sum = 0f;
        for (int i = start; i < width; i += step) sum += TAccess.Wide ? E.Widen4(E.Fetch4(x, source + i)).Total : E.Widen(x[source + i]);
        float origin = Reduction.Sum<TLanes>(sum, shared) / width;

        // The mean is origin + rest: one float is not precise enough for a large mean.
        float first = 0f, second = 0f;
        for (int i = start; i < width; i += step)
        {
            if (TAccess.Wide)
            {
                Float4 values = E.Widen4(E.Fetch4(x, source + i)).Less(origin);
                first += values.Total;
                second = Float4.MultiplyAdd(values, values, second);
                continue;
            }

            float value = E.Widen(x[source + i]) - origin;
            first += value;
            second = DeviceMath.Fma(value, value, second);
        }

        float rest = Reduction.Sum<TLanes>(first, shared) / width;
        float variance = Reduction.Sum<TLanes>(second, shared) / width - rest * rest;
        float scale = DeviceMath.Rsqrt((variance > 0f ? variance : 0f) + epsilon), shift = -rest * scale;
        for (int i = start; i < width; i += step)
        {
            if (TAccess.Wide)
            {
                Float4 values = Float4.MultiplyAdd(scale, E.Widen4(E.Fetch4(x, source + i)).Less(origin), new(shift, shift, shift, shift));
                if (weighted != 0) values *= EW.Widen4(EW.Fetch4(weight, i));
                if (biased != 0) values += EB.Widen4(EB.Fetch4(bias, i));
                E.Store4(y, target + i, values);
                continue;
            }

            float value = DeviceMath.Fma(E.Widen(x[source + i]) - origin, scale, shift);
            if (weighted != 0) value *= EW.Widen(weight[i]);
            if (biased != 0) value += EB.Widen(bias[i]);
            y[target + i] = E.Narrow(value);
        }
    }
}
