using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One row of the result at a time; source rows and columns are computed once per binding.</summary>
internal static class UpsampleCpu
{
    public static Launch Bind(OpCall call) => new Rows(call);

    /// <summary>⌊i · (from / to)⌋ in float32: PyTorch's arithmetic, which for some sizes differs by one from exact division.</summary>
    public static int[] Sources(int from, int to)
    {
        float scale = (float)from / to;
        int[] sources = new int[to];
        for (int i = 0; i < to; i++) sources[i] = Math.Min((int)(i * scale), from - 1);
        return sources;
    }

    private sealed unsafe class Rows(OpCall call)
        : RowLaunch(call, call.Output.Shape[0] * call.Output.Shape[1], (long)call.Output.Shape[2] * call.Output.Width)
    {
        private readonly Tensor x = call.Inputs[0], y = call.Output;
        private readonly int[] rows = Sources(call.Inputs[0].Shape[1], call.Output.Shape[1]),
            columns = Sources(call.Inputs[0].Shape[2], call.Output.Shape[2]);

        protected override void Row(int row)
        {
            var (image, line) = Math.DivRem(row, rows.Length);
            float* source = x.Pointer<float>() + ((long)image * x.Shape[1] + rows[line]) * x.Shape[2] * x.RowPitch;
            float* target = y.Pointer<float>() + (long)row * columns.Length * y.RowPitch;
            for (int i = 0; i < columns.Length; i++, target += y.RowPitch)
                new ReadOnlySpan<float>(source + (long)columns[i] * x.RowPitch, y.Width).CopyTo(new Span<float>(target, y.Width));
        }
    }
}
