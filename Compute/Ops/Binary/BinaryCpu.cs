using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Row by row: with a whole row of b, or with one element of b for the whole row of a.</summary>
internal sealed class BinaryCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => ((Binary)call.Op).Function switch
    {
        BinaryFunction.Add => new Rows<V, Sum>(call, Joined(call)),
        BinaryFunction.Subtract => new Rows<V, Difference>(call, Joined(call)),
        BinaryFunction.Multiply => new Rows<V, Product>(call, Joined(call)),
        BinaryFunction.Divide => new Rows<V, Quotient>(call, Joined(call)),
        var unknown => throw new DeviceException($"binary: no kernel for {unknown}."),
    };

    /// <summary>Long runs over a's rows if b has the same layout; null otherwise.</summary>
    private static Runs? Joined(OpCall call)
    {
        var (a, b) = (call.Inputs[0], call.Inputs[1]);
        return b.Shape.Count == 1 || (b.Shape == a.Shape && b.IsContiguous) ? new Runs(a, call.Output) : null;
    }

    private interface IFunction
    {
        static abstract V Apply<V>(V a, V b) where V : struct, ISimd<V>;
    }

    private readonly struct Sum : IFunction { public static V Apply<V>(V a, V b) where V : struct, ISimd<V> => a + b; }

    private readonly struct Difference : IFunction { public static V Apply<V>(V a, V b) where V : struct, ISimd<V> => a - b; }

    private readonly struct Product : IFunction { public static V Apply<V>(V a, V b) where V : struct, ISimd<V> => a * b; }

    private readonly struct Quotient : IFunction { public static V Apply<V>(V a, V b) where V : struct, ISimd<V> => a / b; }

    private sealed unsafe class Rows<V, TFunction>(OpCall call, Runs? runs)
        : RowLaunch(call, runs?.Count ?? call.Output.Rows, runs?.Length ?? call.Output.Width)
        where V : struct, ISimd<V> where TFunction : struct, IFunction
    {
        private readonly Tensor a = call.Inputs[0], b = call.Inputs[1], y = call.Output;
        private readonly Broadcast broadcast = new(call.Inputs[0].Shape, call.Inputs[1].Shape);

        protected override void Row(int row)
        {
            if (runs is { } flat)
                Apply(flat.Of<float>(a, row), b.Shape.Count == 1 ? b.Pointer<float>() : flat.Of<float>(b, row), b.Shape.Count == 1,
                    flat.Of<float>(y, row), flat.LengthOf(row));
            else
                Apply(a.Pointer<float>() + (long)row * a.RowPitch, b.Pointer<float>() + broadcast.Row(row) * b.RowPitch, b.Width == 1,
                    y.Pointer<float>() + (long)row * y.RowPitch, y.Width);
        }

        [MethodImpl(Jit.Kernel)]
        private static void Apply(float* a, float* b, bool same, float* y, int count)
        {
            int i = 0;
            V all = V.Create(*b);
            if (same)
            {
                for (; i <= count - V.Count; i += V.Count) V.Store(TFunction.Apply(V.Load(a + i), all), y + i);
            }
            else
            {
                for (; i <= count - V.Count; i += V.Count) V.Store(TFunction.Apply(V.Load(a + i), V.Load(b + i)), y + i);
            }

            if (i == count) return;
            V rest = same ? all : Simd.LoadPartial<V>(b + i, count - i);
            Simd.StorePartial(TFunction.Apply(Simd.LoadPartial<V>(a + i, count - i), rest), y + i, count - i);
        }
    }
}
