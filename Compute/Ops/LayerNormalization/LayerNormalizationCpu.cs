using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Mean, moments about it, result: three passes over a row that stays in the L1 cache.</summary>
internal sealed class LayerNormalizationCpu : ISimdBinder
{
    public static long ScratchBytes(OpSignature signature) => Parameters.ScratchBytes(signature, first: 1);

    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new Rows<V>(call);

    private sealed unsafe class Rows<V>(OpCall call) : RangeLaunch(call, call.Output.Rows, call.Output.Width) where V : struct, ISimd<V>
    {
        private const int RowsTogether = 2;
        private readonly Tensor x = call.Inputs[0], y = call.Output;
        private readonly Parameters weight = Parameters.Of(call, 1, first: 1), bias = Parameters.Of(call, 2, first: 1);
        private readonly double epsilon = ((LayerNormalization)call.Op).Epsilon;

        protected override void Prepare()
        {
            weight.Prepare();
            bias.Prepare();
        }

        // Each step is computed for several rows before the next: the additions of one row depend on each other, those of other rows fill
        // the latency.
        [SkipLocalsInit, MethodImpl(Jit.Kernel)]
        protected override void Range(int first, int end)
        {
            float* origins = stackalloc float[RowsTogether], scales = stackalloc float[RowsTogether],
                shifts = stackalloc float[RowsTogether];
            int width = x.Width;
            nint sourcePitch = x.RowPitch, targetPitch = y.RowPitch;
            float* w = weight.Values, b = bias.Values, source = x.Pointer<float>() + first * sourcePitch,
                target = y.Pointer<float>() + first * targetPitch;
            for (int left = end - first; left > 0; left -= RowsTogether, source += RowsTogether * sourcePitch,
                target += RowsTogether * targetPitch)
            {
                int count = Math.Min(left, RowsTogether);
                for (int i = 0; i < count; i++) origins[i] = RowStatistics.Sum<V>(source + i * sourcePitch, width) / width;
                for (int i = 0; i < count; i++)
                    (scales[i], shifts[i]) = RowStatistics.Moments<V>(source + i * sourcePitch, width, origins[i]);
                for (int i = 0; i < count; i++)
                {
                    double rest = (double)scales[i] / width, variance = (double)shifts[i] / width - rest * rest;
                    double scale = 1 / Math.Sqrt((variance < 0 ? 0 : variance) + epsilon);
                    (scales[i], shifts[i]) = ((float)scale, (float)(-rest * scale));
                }

                for (int i = 0; i < count; i++)
                    Normalize(source + i * sourcePitch, origins[i], scales[i], shifts[i], w, b, target + i * targetPitch, width);
            }
        }

        /// <summary>
        /// ((x − origin) · scale + shift) · weight + bias. The mean is origin − shift / scale, in two parts because one float is not
        /// precise enough for a large mean.
        /// </summary>
        [MethodImpl(Jit.Kernel)]
        private static void Normalize(float* x, float origin, float scale, float shift, float* weight, float* bias, float* y, int count)
        {
            V o = V.Create(origin), s = V.Create(scale), t = V.Create(shift);
            int i = 0;
            if (weight is null)
            {
                for (; i <= count - V.Count; i += V.Count) V.Store(V.MultiplyAdd(V.Load(x + i) - o, s, t), y + i);
                if (i < count) Simd.StorePartial(V.MultiplyAdd(Simd.LoadPartial<V>(x + i, count - i) - o, s, t), y + i, count - i);
                return;
            }

            // Two loops instead of a selection in one: a selected vector goes through memory.
            if (bias is null)
            {
                for (; i <= count - V.Count; i += V.Count) V.Store(V.MultiplyAdd(V.Load(x + i) - o, s, t) * V.Load(weight + i), y + i);
            }
            else
            {
                for (; i <= count - V.Count; i += V.Count)
                    V.Store(V.MultiplyAdd(V.MultiplyAdd(V.Load(x + i) - o, s, t), V.Load(weight + i), V.Load(bias + i)), y + i);
            }

            if (i == count) return;
            V rest = V.MultiplyAdd(Simd.LoadPartial<V>(x + i, count - i) - o, s, t);
            rest = V.MultiplyAdd(rest, Simd.LoadPartial<V>(weight + i, count - i),
                bias is null ? V.Create(0f) : Simd.LoadPartial<V>(bias + i, count - i));
            Simd.StorePartial(rest, y + i, count - i);
        }
    }
}
