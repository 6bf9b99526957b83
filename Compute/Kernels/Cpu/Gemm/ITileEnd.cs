using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>What becomes of a tile's sums when its loop is over.</summary>
internal interface ITileEnd<V> where V : struct, ILanes<V>
{
    /// <summary>Takes a row's sums: two registers side by side.</summary>
    void Store(int row, V left, V right);
}
