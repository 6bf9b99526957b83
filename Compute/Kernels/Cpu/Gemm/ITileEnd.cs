using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Stores the sums of a register tile after its loop.</summary>
internal interface ITileEnd<V> where V : struct, ILanes<V>
{
    /// <summary>Stores one row's sums: two adjacent registers.</summary>
    void Store(int row, V left, V right);
}
