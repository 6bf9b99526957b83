using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Copies one row per sequence; every index is checked before its row is read.</summary>
internal static class SelectTokenCpu
{
    public static Launch Bind(OpCall call) => new Rows(call);

    private sealed unsafe class Rows(OpCall call) : RowLaunch(call, call.Output.Rows, call.Output.Width)
    {
        private readonly Tensor x = call.Inputs[0], index = call.Inputs[1], y = call.Output;

        protected override void Row(int row)
        {
            int tokens = x.Shape[1], token = index.Pointer<int>()[row];
            if (token < 0 || token >= tokens)
                throw new ArgumentOutOfRangeException($"index[{row}]", token,
                    $"select_token: the sequence has {tokens} tokens; an index must be 0 to {tokens - 1}.");
            float* source = x.Pointer<float>() + ((long)row * tokens + token) * x.RowPitch;
            new ReadOnlySpan<float>(source, y.Width).CopyTo(new Span<float>(y.Pointer<float>() + (long)row * y.RowPitch, y.Width));
        }
    }
}
