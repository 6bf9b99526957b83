using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A launch over independent rows: each part is a range of rows worth about <see cref="ElementsPerPart"/> elements.</summary>
/// <param name="call">The bound arguments.</param>
/// <param name="rows">Number of rows.</param>
/// <param name="elementsPerRow">Elements that one row reads or writes; decides how many rows make a part.</param>
internal abstract class RangeLaunch(OpCall call, int rows, long elementsPerRow) : CpuLaunch(call)
{
    private const int ElementsPerPart = 32768; // some 10 µs of work, against well under 1 µs for taking a part
    private readonly int rowsPerPart = (int)Math.Clamp(ElementsPerPart / Math.Max(elementsPerRow, 1), 1, Math.Max(rows, 1));

    public sealed override void Run()
    {
        Prepare();
        Parallel(IntegerMath.CeilDiv(rows, rowsPerPart), inRanges: true);
    }

    public sealed override void Execute(int part, int worker)
    {
        int first = part * rowsPerPart;
        Range(first, Math.Min(first + rowsPerPart, rows));
    }

    /// <summary>Work shared by all rows, done on the calling thread before any of them.</summary>
    protected virtual void Prepare() { }

    /// <summary>Computes rows <paramref name="first"/> … <paramref name="end"/> − 1.</summary>
    protected abstract void Range(int first, int end);
}
