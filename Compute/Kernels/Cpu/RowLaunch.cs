namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A <see cref="RangeLaunch"/> that processes its rows one by one.</summary>
/// <param name="call">The bound arguments.</param>
/// <param name="rows">Number of rows.</param>
/// <param name="elementsPerRow">Elements that one row reads or writes; decides how many rows make a part.</param>
internal abstract class RowLaunch(OpCall call, int rows, long elementsPerRow) : RangeLaunch(call, rows, elementsPerRow)
{
    protected sealed override void Range(int first, int end)
    {
        for (int row = first; row < end; row++) Row(row);
    }

    protected abstract void Row(int row);
}
