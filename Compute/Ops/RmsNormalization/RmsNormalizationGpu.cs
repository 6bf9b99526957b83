using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One group per row: mean square, result. Work items access only their own columns, so y may be x.</summary>
internal static class RmsNormalizationGpu
{
    public static KernelVariant Variant { get; } = RowKernel.Variant(typeof(RmsNormalizationGpu), nameof(Kernel),
        s => [s.Output.DType, RowKernel.TypeOf(s, 1)],
        call => RowKernel.Norm(call, ((RmsNormalization)call.Op).Epsilon, ("weight", "weighted", RowKernel.Parameter(call, 1))),
        access: true);

    internal static void Kernel<TLanes, T, E, TW, EW, TAccess>(ArrayView<T> x, ArrayView<TW> weight, ArrayView<T> y, int width, int xPitch,
        int yPitch, float epsilon, int weighted)
        where TLanes : struct, IGroupLanes where T : unmanaged where E : struct, IElement<T> where TW : unmanaged
            where EW : struct, IElement<TW>
        where TAccess : struct, IAccess
    {
        var shared = SharedMemory.Allocate<float>(TLanes.Count);
        int source = Grid.IdxX * xPitch, target = Grid.IdxX * yPitch;
        int together = TAccess.Wide ? 4 : 1, start = together * Group.IdxX, step = together * TLanes.Count;
        float sum = 0f;
        for (int i = start; i < width; i += step)
        {
            if (TAccess.Wide)
            {
                Float4 values = E.Widen4(E.Fetch4(x, source + i));
                sum = Float4.MultiplyAdd(values, values, sum);
                continue;
            }

            float value = E.Widen(x[source + i]);
            sum = DeviceMath.Fma(value, value, sum);
        }

        float scale = DeviceMath.Rsqrt(Reduction.Sum<TLanes>(sum, shared) / width + epsilon);
        for (int i = start; i < width; i += step)
        {
            if (TAccess.Wide)
            {
                Float4 values = E.Widen4(E.Fetch4(x, source + i)) * new Float4(scale, scale, scale, scale);
                if (weighted != 0) values *= EW.Widen4(EW.Fetch4(weight, i));
                E.Store4(y, target + i, values);
                continue;
            }

            float value = E.Widen(x[source + i]) * scale;
            if (weighted != 0) value *= EW.Widen(weight[i]);
            y[target + i] = E.Narrow(value);
        }
    }
}
