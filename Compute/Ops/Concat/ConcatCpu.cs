using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One copy per argument, all their rows in one launch.</summary>
internal static class ConcatCpu
{
    public static Launch Bind(OpCall call) => new Rows(call, [.. Copies(call)]);

    /// <summary>
    /// The copies of a concatenation, for any device. An argument that its producer wrote directly into the result needs none.
    /// </summary>
    public static IEnumerable<BlockCopy> Copies(OpCall call) => All(call).Where(copy => !copy.IsInPlace);

    private static IEnumerable<BlockCopy> All(OpCall call)
    {
        var y = call.Output;
        int axis = ((Concat)call.Op).Axis, rank = y.Shape.Rank;
        if (axis < 0) axis += rank;
        int at = 0;
        foreach (var x in call.Inputs)
        {
            if (axis == rank - 1)
            {
                yield return new BlockCopy(x, y, Math.Max(x.Rows, 1), x.Width, x.Rows, y.Rows, TargetColumn: at);
                at += x.Width;
            }
            else
            {
                int source = RowsFrom(x.Shape, axis), target = RowsFrom(y.Shape, axis);
                yield return new BlockCopy(x, y, Math.Max(source, 1), x.Width, source, target, TargetStart: at);
                at += source;
            }
        }
    }

    /// <summary>Rows of one entry of the dimensions before the axis.</summary>
    private static int RowsFrom(Shape shape, int axis)
    {
        int rows = 1;
        for (int d = axis; d < shape.Rank - 1; d++) rows *= shape[d];
        return rows;
    }

    private sealed class Rows(OpCall call, BlockCopy[] copies)
        : RowLaunch(call, copies.Sum(c => c.Source.Rows), call.Output.Shape.Count / Math.Max(copies.Sum(c => (long)c.Source.Rows), 1))
    {
        protected override void Row(int row)
        {
            int copy = 0;
            while (row >= copies[copy].Source.Rows) row -= copies[copy++].Source.Rows;
            copies[copy].Row(row);
        }
    }
}
