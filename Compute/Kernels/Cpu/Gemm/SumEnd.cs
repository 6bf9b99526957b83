using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>c = sums + bias, or c += sums + bias.</summary>
internal readonly unsafe struct SumEnd<V>(float* c, nint pitch, bool accumulate, float* bias) : ITileEnd<V> where V : struct, ILanes<V>
{
    private readonly float* c = c, bias = bias;
    private readonly nint pitch = pitch;
    private readonly bool accumulate = accumulate;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int row, V left, V right)
    {
        float* target = c + row * pitch;
        Store(bias is null ? left : left + V.Load(bias), target);
        Store(bias is null ? right : right + V.Load(bias + V.Count), target + V.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(V sum, float* target) => V.Store(accumulate ? V.Load(target) + sum : sum, target);
}
