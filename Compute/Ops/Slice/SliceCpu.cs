namespace ILGpuDiffusion.Compute;

/// <summary>One copy, row by row.</summary>
internal static class SliceCpu
{
    public static Launch Bind(OpCall call)
    {
        var op = (Slice)call.Op;
        var (x, y) = (call.Inputs[0], call.Output);
        int rank = y.Shape.Rank, axis = op.Axis < 0 ? op.Axis + rank : op.Axis;
        if (axis == rank - 1) return new Rows(call, new BlockCopy(x, y, Math.Max(y.Rows, 1), y.Width, x.Rows, y.Rows, SourceColumn: op.Start));
        int inner = 1;
        for (int d = axis + 1; d < rank - 1; d++) inner *= y.Shape[d];
        return new Rows(call, new BlockCopy(x, y, op.Length * inner, y.Width, x.Shape[axis] * inner, op.Length * inner, SourceStart: op.Start * inner));
    }

    private sealed class Rows(OpCall call, BlockCopy copy) : RowLaunch(call, call.Output.Rows, call.Output.Width)
    {
        protected override void Row(int row) => copy.Row(row);
    }
}
