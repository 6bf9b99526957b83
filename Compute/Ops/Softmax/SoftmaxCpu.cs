using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Three passes over a row that stays in the L1 cache: maximum, exponentials and their sum, result.</summary>
internal sealed class SoftmaxCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new Rows<V>(call);

    private sealed unsafe class Rows<V>(OpCall call) : RowLaunch(call, call.Output.Rows, call.Output.Width) where V : struct, ISimd<V>
    {
        private readonly Tensor x = call.Inputs[0], y = call.Output;
        private readonly bool logarithm = ((Softmax)call.Op).Logarithm;

        protected override void Row(int row)
        {
            float* source = x.Pointer<float>() + (long)row * x.RowPitch, target = y.Pointer<float>() + (long)row * y.RowPitch;
            float max = Max(source, x.Width), sum = Exponentials(source, max, logarithm ? null : target, x.Width);
            if (logarithm) MapRow<V>.Apply(new Difference(max, MathF.Log(sum)), source, target, x.Width);
            else MapRow<V>.Apply(new Factor(1f / sum), target, target, x.Width);
        }

        [MethodImpl(Jit.Kernel)]
        private static float Max(float* x, int count)
        {
            V max = V.Create(float.NegativeInfinity);
            int i = 0;
            for (; i <= count - V.Count; i += V.Count) max = V.Max(max, V.Load(x + i));
            if (i < count) max = V.Max(max, Simd.LoadPartial<V>(x + i, count - i, float.NegativeInfinity));
            return V.Max(max);
        }

        /// <summary>Σ exp(x − max); the terms are written to y unless it is null.</summary>
        [MethodImpl(Jit.Kernel)]
        private static float Exponentials(float* x, float max, float* y, int count)
        {
            V sum = V.Create(0f), m = V.Create(max);
            int i = 0;
            for (; i <= count - V.Count; i += V.Count)
            {
                V e = VectorMath.Exp(V.Load(x + i) - m);
                sum += e;
                if (y is not null) V.Store(e, y + i);
            }

            if (i == count) return V.Sum(sum);
            V rest = VectorMath.Exp(Simd.LoadPartial<V>(x + i, count - i, float.NegativeInfinity) - m); // missing lanes add exp(−∞) = 0
            if (y is not null) Simd.StorePartial(rest, y + i, count - i);
            return V.Sum(sum + rest);
        }
    }

    private readonly struct Difference(float max, float logarithm) : IMap
    {
        public V Apply<V>(V x) where V : struct, ISimd<V> => x - V.Create(max) - V.Create(logarithm);
    }
}
