using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One copy, row by row.</summary>
internal static class SliceCpu
{
    public static Launch Bind(OpCall call) => Bind(call, Copy(call));

    /// <summary>Launches a copy.</summary>
    public static Launch Bind(OpCall call, BlockCopy copy) => new Rows(call, copy);

    /// <summary>The block copy of a slice, for any device.</summary>
    public static BlockCopy Copy(OpCall call)
    {
        var op = (Slice)call.Op;
        return Copy(call, op.Axis < 0 ? op.Axis + call.Output.Shape.Rank : op.Axis, op.Start, op.Length);
    }

    /// <summary>Entries start … start + length − 1 of one dimension, counted from the outermost.</summary>
    public static BlockCopy Copy(OpCall call, int axis, int start, int length)
    {
        var (x, y) = (call.Inputs[0], call.Output);
        int rank = y.Shape.Rank;
        if (axis == rank - 1) return new BlockCopy(x, y, Math.Max(y.Rows, 1), y.Width, x.Rows, y.Rows, SourceColumn: start);
        int inner = 1;
        for (int d = axis + 1; d < rank - 1; d++) inner *= y.Shape[d];
        return new BlockCopy(x, y, length * inner, y.Width, x.Shape[axis] * inner, length * inner, SourceStart: start * inner);
    }

    private sealed class Rows(OpCall call, BlockCopy copy) : RowLaunch(call, call.Output.Rows, call.Output.Width)
    {
        protected override void Row(int row) => copy.Row(row);
    }
}
