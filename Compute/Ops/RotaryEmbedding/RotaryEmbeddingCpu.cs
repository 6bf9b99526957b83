using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One token at a time: its angles stay in the L1 cache for all heads.</summary>
internal sealed class RotaryEmbeddingCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new Rows<V>(call);

    private sealed unsafe class Rows<V>(OpCall call) : RowLaunch(call, call.Output.Rows, call.Output.Width) where V : struct, ISimd<V>
    {
        private readonly Tensor x = call.Inputs[0], cos = call.Inputs[1], sin = call.Inputs[2], y = call.Output;
        private readonly int heads = ((RotaryEmbedding)call.Op).Heads, tokens = call.Output.Shape[1];

        protected override void Row(int row)
        {
            int token = row % tokens, width = x.Width / heads;
            float* source = x.Pointer<float>() + (long)row * x.RowPitch, target = y.Pointer<float>() + (long)row * y.RowPitch;
            float* c = cos.Pointer<float>() + (long)token * cos.RowPitch, s = sin.Pointer<float>() + (long)token * sin.RowPitch;
            for (int head = 0; head < heads; head++) Rotate(source + head * width, c, s, target + head * width, width);
        }

        [MethodImpl(Jit.Kernel)]
        private static void Rotate(float* x, float* cos, float* sin, float* y, int count)
        {
            int i = 0;
            for (; i <= count - V.Count; i += V.Count)
            {
                V v = V.Load(x + i);
                V.Store(V.MultiplyAdd(V.RotatePairs(v), V.Load(sin + i), v * V.Load(cos + i)), y + i);
            }

            if (i == count) return;
            V rest = Simd.LoadPartial<V>(x + i, count - i); // an even number of lanes: pairs stay whole
            rest = V.MultiplyAdd(V.RotatePairs(rest), Simd.LoadPartial<V>(sin + i, count - i),
                rest * Simd.LoadPartial<V>(cos + i, count - i));
            Simd.StorePartial(rest, y + i, count - i);
        }
    }
}
