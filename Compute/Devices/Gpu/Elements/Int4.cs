using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Four words that devices load and store at once: sums, or sixteen signed bytes.</summary>
internal struct Int4
{
    public int X, Y, Z, W;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Int4(int x, int y, int z, int w) => (X, Y, Z, W) = (x, y, z, w);

    /// <summary>sum + the inner product of sixteen pairs of signed bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MultiplyAdd(Int4 a, Int4 b, int sum) =>
        IntegerDot.MultiplyAdd(a.W, b.W,
            IntegerDot.MultiplyAdd(a.Z, b.Z, IntegerDot.MultiplyAdd(a.Y, b.Y, IntegerDot.MultiplyAdd(a.X, b.X, sum))));
}
