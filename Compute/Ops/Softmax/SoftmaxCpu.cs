using System.Numerics.Tensors;

namespace ILGpuDiffusion.Compute;

/// <summary>Three passes over a row that stays in the L1 cache. TensorPrimitives.SoftMax is not used: it does not subtract the maximum.</summary>
internal static class SoftmaxCpu
{
    public static Launch Bind(OpCall call) => new Rows(call);

    private sealed unsafe class Rows(OpCall call) : RowLaunch(call, call.Output.Rows, call.Output.Width)
    {
        private readonly Tensor x = call.Inputs[0], y = call.Output;

        protected override void Row(int row)
        {
            var source = new ReadOnlySpan<float>(x.Pointer<float>() + (long)row * x.RowPitch, x.Width);
            var target = new Span<float>(y.Pointer<float>() + (long)row * y.RowPitch, y.Width);
            TensorPrimitives.Subtract(source, TensorPrimitives.Max(source), target);
            TensorPrimitives.Exp(target, target);
            TensorPrimitives.Multiply(target, 1f / TensorPrimitives.Sum<float>(target), target);
        }
    }
}
