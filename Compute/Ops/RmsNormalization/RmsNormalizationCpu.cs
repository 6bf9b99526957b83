using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Sum of squares, result: two passes over a row that stays in the L1 cache.</summary>
internal sealed class RmsNormalizationCpu : ISimdBinder
{
    public static long ScratchBytes(OpSignature signature) => Parameters.ScratchBytes(signature, first: 1);

    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new Rows<V>(call);

    private sealed unsafe class Rows<V>(OpCall call) : RowLaunch(call, call.Output.Rows, call.Output.Width) where V : struct, ISimd<V>
    {
        private readonly Tensor x = call.Inputs[0], y = call.Output;
        private readonly Parameters weight = Parameters.Of(call, 1, first: 1);
        private readonly double epsilon = ((RmsNormalization)call.Op).Epsilon;

        protected override void Prepare() => weight.Prepare();

        [MethodImpl(Jit.Kernel)]
        protected override void Row(int row)
        {
            float* source = x.Pointer<float>() + (long)row * x.RowPitch;
            double square = RowStatistics.Moments<V>(source, x.Width, 0).Second;
            float scale = (float)(1 / Math.Sqrt(square / x.Width + epsilon));
            Scale(source, scale, weight.Values, y.Pointer<float>() + (long)row * y.RowPitch, x.Width);
        }

        [MethodImpl(Jit.Kernel)]
        private static void Scale(float* x, float scale, float* weight, float* y, int count)
        {
            V s = V.Create(scale), one = V.Create(1f);
            int i = 0;
            for (; i <= count - V.Count; i += V.Count) V.Store(V.Load(x + i) * s * (weight is null ? one : V.Load(weight + i)), y + i);
            if (i == count) return;
            V rest = Simd.LoadPartial<V>(x + i, count - i) * s * (weight is null ? one : Simd.LoadPartial<V>(weight + i, count - i));
            Simd.StorePartial(rest, y + i, count - i);
        }
    }
}
