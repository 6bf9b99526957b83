using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Two passes over a row: its maximum, then its integers.</summary>
internal readonly struct QuantizeCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new Rows<V>(call);

    private sealed unsafe class Rows<V>(OpCall call) : RowLaunch(call, call.Output.Rows, call.Output.Width) where V : struct, ISimd<V>
    {
        private readonly Tensor x = call.Inputs[0], y = call.Output;

        protected override void Row(int row)
        {
            float* source = x.Pointer<float>() + (nint)row * x.RowPitch;
            RowQuantizer<V>.ToInt8(source, x.Width, RowQuantizer<V>.Scale(source, x.Width), y.Pointer<byte>() + (nint)row * y.RowPitch);
        }
    }
}

/// <summary>One pass over a row.</summary>
internal readonly struct QuantizeScaleCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new Rows<V>(call);

    private sealed unsafe class Rows<V>(OpCall call) : RowLaunch(call, call.Output.Rows, call.Inputs[0].Width) where V : struct, ISimd<V>
    {
        private readonly Tensor x = call.Inputs[0], y = call.Output;

        protected override void Row(int row) =>
            y.Pointer<float>()[(nint)row * y.RowPitch] = RowQuantizer<V>.Scale(x.Pointer<float>() + (nint)row * x.RowPitch, x.Width);
    }
}
