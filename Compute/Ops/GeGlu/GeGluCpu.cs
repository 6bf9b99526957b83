using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Reads both halves of a row once and writes the result once.</summary>
internal sealed class GeGluCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new Rows<V>(call);

    private sealed unsafe class Rows<V>(OpCall call) : RowLaunch(call, call.Output.Rows, call.Output.Width) where V : struct, ISimd<V>
    {
        private readonly Tensor x = call.Inputs[0], y = call.Output;

        protected override void Row(int row)
        {
            float* source = x.Pointer<float>() + (long)row * x.RowPitch;
            Gate<V>(source, source + y.Width, y.Pointer<float>() + (long)row * y.RowPitch, y.Width);
        }
    }

    /// <summary>y = hidden · gelu(gate), for <paramref name="count"/> elements.</summary>
    [MethodImpl(Jit.Kernel)]
    public static unsafe void Gate<V>(float* hidden, float* gate, float* y, int count) where V : struct, ISimd<V>
    {
        int i = 0;
        for (; i <= count - V.Count; i += V.Count) V.Store(V.Load(hidden + i) * VectorMath.Gelu(V.Load(gate + i)), y + i);
        if (i == count) return;
        V rest = Simd.LoadPartial<V>(hidden + i, count - i) * VectorMath.Gelu(Simd.LoadPartial<V>(gate + i, count - i));
        Simd.StorePartial(rest, y + i, count - i);
    }
}
