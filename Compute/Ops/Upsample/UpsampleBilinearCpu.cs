using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One row of the result at a time; positions and weights are computed once per binding. Lanes are channels.</summary>
internal sealed class UpsampleBilinearCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new Rows<V>(call);

    /// <summary>Two adjacent source indices and the second one's weight.</summary>
    private readonly record struct Pair(int First, int Second, float Share);

    private static Pair[] Pairs(int from, int to)
    {
        float scale = (float)from / to;
        var pairs = new Pair[to];
        for (int i = 0; i < to; i++)
        {
            float position = MathF.Max((i + 0.5f) * scale - 0.5f, 0);
            int first = Math.Min((int)position, from - 1);
            pairs[i] = new Pair(first, Math.Min(first + 1, from - 1), position - first);
        }

        return pairs;
    }

    private sealed unsafe class Rows<V>(OpCall call)
        : RowLaunch(call, call.Output.Shape[0] * call.Output.Shape[1], (long)call.Output.Shape[2] * call.Output.Width)
            where V : struct, ISimd<V>
    {
        private readonly Tensor x = call.Inputs[0], y = call.Output;
        private readonly Pair[] rows = Pairs(call.Inputs[0].Shape[1], call.Output.Shape[1]),
            columns = Pairs(call.Inputs[0].Shape[2], call.Output.Shape[2]);

        protected override void Row(int row)
        {
            var (image, line) = Math.DivRem(row, rows.Length);
            var (upper, lower, down) = rows[line];
            long pitch = (long)x.Shape[2] * x.RowPitch;
            float* source = x.Pointer<float>() + image * x.Shape[1] * pitch,
                target = y.Pointer<float>() + (long)row * columns.Length * y.RowPitch;
            float* above = source + upper * pitch, below = source + lower * pitch;
            for (int i = 0; i < columns.Length; i++, target += y.RowPitch)
            {
                var (left, right, share) = columns[i];
                long l = (long)left * x.RowPitch, r = (long)right * x.RowPitch;
                Mix(above + l, above + r, below + l, below + r, share, down, target, y.Width);
            }
        }

        [MethodImpl(Jit.Kernel)]
        private static void Mix(float* a, float* b, float* c, float* d, float right, float down, float* y, int count)
        {
            V wa = V.Create((1 - down) * (1 - right)), wb = V.Create((1 - down) * right), wc = V.Create(down * (1 - right)),
                wd = V.Create(down * right);
            int i = 0;
            for (; i <= count - V.Count; i += V.Count)
                V.Store(V.MultiplyAdd(V.Load(a + i), wa, V.Load(b + i) * wb) + V.MultiplyAdd(V.Load(c + i), wc, V.Load(d + i) * wd), y + i);
            int n = count - i;
            if (n == 0) return;
            V top = V.MultiplyAdd(Simd.LoadPartial<V>(a + i, n), wa, Simd.LoadPartial<V>(b + i, n) * wb);
            Simd.StorePartial(top + V.MultiplyAdd(Simd.LoadPartial<V>(c + i, n), wc, Simd.LoadPartial<V>(d + i, n) * wd), y + i, n);
        }
    }
}
