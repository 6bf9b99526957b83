using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Run by run: the sum stays in the L1 cache while the arguments are added.</summary>
internal sealed class LinearCombinationCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> =>
        new Pieces<V>(call, new Runs([.. call.Inputs[..^1], call.Output]));

    private sealed unsafe class Pieces<V>(OpCall call, Runs runs)
        : RowLaunch(call, runs.Count, (long)runs.Length * (call.Inputs.Length - 1)) where V : struct, ISimd<V>
    {
        private readonly Tensor[] x = call.Inputs[..^1];
        private readonly Tensor coefficients = call.Inputs[^1], y = call.Output;

        protected override void Row(int row)
        {
            float* c = coefficients.Pointer<float>(), target = runs.Of<float>(y, row);
            int count = runs.LengthOf(row);
            for (int i = 0; i < x.Length; i++) Add(runs.Of<float>(x[i], row), c[i], i == 0 ? null : target, target, count);
        }

        /// <summary>y = sum + c · x, without a sum for the first argument.</summary>
        [MethodImpl(Jit.Kernel)]
        private static void Add(float* x, float coefficient, float* sum, float* y, int count)
        {
            V c = V.Create(coefficient);
            int i = 0;
            if (sum is null)
            {
                for (; i <= count - V.Count; i += V.Count) V.Store(V.Load(x + i) * c, y + i);
                if (i < count) Simd.StorePartial(Simd.LoadPartial<V>(x + i, count - i) * c, y + i, count - i);
                return;
            }

            for (; i <= count - V.Count; i += V.Count) V.Store(V.MultiplyAdd(V.Load(x + i), c, V.Load(sum + i)), y + i);
            if (i < count)
                Simd.StorePartial(V.MultiplyAdd(Simd.LoadPartial<V>(x + i, count - i), c, Simd.LoadPartial<V>(sum + i, count - i)), y + i,
                    count - i);
        }
    }
}
