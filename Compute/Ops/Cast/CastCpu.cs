using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Through float32, in runs that stay in the L1 cache; from and to float32 directly.</summary>
internal static class CastCpu
{
    public static Launch Bind(OpCall call) => new Pieces(call, new Runs(call.Inputs[0], call.Output));

    private sealed unsafe class Pieces(OpCall call, Runs runs) : RowLaunch(call, runs.Count, runs.Length)
    {
        private const int Piece = 1024;
        private readonly Tensor x = call.Inputs[0], y = call.Output;

        protected override void Row(int row)
        {
            var (from, to) = (x.DType, y.DType);
            byte* source = Of(x, row), target = Of(y, row);
            int count = runs.LengthOf(row);
            if (to == DType.Float32) FloatConversion.Widen(source, from, (float*)target, count);
            else if (from == DType.Float32) FloatConversion.Narrow((float*)source, target, to, count);
            else Between(source, from, target, to, count);
        }

        private byte* Of(Tensor tensor, int run) =>
            tensor.DType == DType.Float32 ? (byte*)runs.Of<float>(tensor, run) : (byte*)runs.Of<ushort>(tensor, run);

        private static void Between(byte* source, DType from, byte* target, DType to, int count)
        {
            float* wide = stackalloc float[Piece];
            for (int i = 0; i < count; i += Piece)
            {
                int some = Math.Min(Piece, count - i);
                FloatConversion.Widen(source + (long)i * from.Size(), from, wide, some);
                FloatConversion.Narrow(wide, target + (long)i * to.Size(), to, some);
            }
        }
    }
}
