namespace ILGpuDiffusion.Compute;

/// <summary>A launch whose rows are independent: each part is a run of rows worth about <see cref="ElementsPerPart"/> elements.</summary>
/// <param name="call">The bound arguments.</param>
/// <param name="rows">Number of rows.</param>
/// <param name="elementsPerRow">Elements that one row reads or writes; decides how many rows make a part.</param>
internal abstract class RowLaunch(OpCall call, int rows, long elementsPerRow) : CpuLaunch(call)
{
    private const int ElementsPerPart = 32768; // some 10 µs of work, against well under 1 µs for taking a part
    private readonly int rowsPerPart = (int)Math.Clamp(ElementsPerPart / Math.Max(elementsPerRow, 1), 1, Math.Max(rows, 1));

    public sealed override void Run()
    {
        Prepare();
        Parallel((rows + rowsPerPart - 1) / rowsPerPart);
    }

    public sealed override void Execute(int part, int worker)
    {
        int first = part * rowsPerPart, last = Math.Min(first + rowsPerPart, rows);
        for (int row = first; row < last; row++) Row(row);
    }

    /// <summary>What all rows need, done by the calling thread before any of them.</summary>
    protected virtual void Prepare() { }

    protected abstract void Row(int row);
}
