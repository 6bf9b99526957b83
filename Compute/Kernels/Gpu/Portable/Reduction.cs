using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Sums and extremes over a group, in a fixed order. With sub-groups, each reduces by lane exchange and writes one value; then every work
/// item reduces those few. Without, each work item writes its value; sixteen of them reduce a sixteenth each; then every work item reduces
/// those sixteen. No barrier is inside a loop.
/// </summary>
/// <remarks>All work items of a sub-group get the same bits, because a + b = b + a.</remarks>
internal static class Reduction
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const int Few = 16;

    /// <summary>Σ over the group, for every work item.</summary>
    /// <param name="value">This work item's summand.</param>
    /// <param name="shared">Local memory with one element per work item; free to reuse afterwards.</param>
    [MethodImpl(Inline)]
    public static float Sum<TLanes>(float value, ArrayView<float> shared) where TLanes : struct, IGroupLanes =>
        Join<TLanes, float, Floats, Summed>(value, shared);

    /// <summary>Maximum over the group, for every work item; NaN is ignored if there is a number.</summary>
    [MethodImpl(Inline)]
    public static float Max<TLanes>(float value, ArrayView<float> shared) where TLanes : struct, IGroupLanes =>
        Join<TLanes, float, Floats, Largest>(value, shared);

    /// <summary>Σ of integers over the group, for every work item.</summary>
    [MethodImpl(Inline)]
    public static int Sum<TLanes>(int value, ArrayView<int> shared) where TLanes : struct, IGroupLanes =>
        Join<TLanes, int, Integers, SummedInteger>(value, shared);

    /// <summary>Minimum of integers over the group, for every work item.</summary>
    [MethodImpl(Inline)]
    public static int Min<TLanes>(int value, ArrayView<int> shared) where TLanes : struct, IGroupLanes =>
        Join<TLanes, int, Integers, Smallest>(value, shared);

    [MethodImpl(Inline)]
    private static T Join<TLanes, T, TExchange, TJoin>(T value, ArrayView<T> shared)
        where TLanes : struct, IGroupLanes where T : unmanaged where TExchange : struct, IExchange<T> where TJoin : struct, IJoin<T>
    {
        if (TLanes.HasSubGroups)
        {
            for (int distance = SubGroup.Size() >> 1; distance > 0; distance >>= 1)
                value = TJoin.Of(value, TExchange.Across(value, distance));
            if (SubGroup.Lane() == 0) shared[SubGroup.Number()] = value;
            Block.Sync();
            int subGroups = TLanes.Count / SubGroup.Size();
            T joined = shared[0];
            for (int i = 1; i < subGroups; i++) joined = TJoin.Of(joined, shared[i]);
            Block.Sync();
            return joined;
        }

        int lane = Group.IdxX;
        shared[lane] = value;
        Block.Sync();
        if (TLanes.Count > Few)
        {
            T part = value;
            if (lane < Few)
                for (int i = lane + Few; i < TLanes.Count; i += Few) part = TJoin.Of(part, shared[i]);
            Block.Sync();
            if (lane < Few) shared[lane] = part;
            Block.Sync();
        }

        T all = shared[0];
        for (int i = 1; i < Few; i++) all = TJoin.Of(all, shared[i]);
        Block.Sync();
        return all;
    }

    private interface IExchange<T>
    {
        /// <summary>The value of the work item whose lane index differs in the bits of <paramref name="distance"/>.</summary>
        static abstract T Across(T value, int distance);
    }

    private interface IJoin<T>
    {
        static abstract T Of(T a, T b);
    }

    private readonly struct Floats : IExchange<float>
    {
        [MethodImpl(Inline)]
        public static float Across(float value, int distance) => SubGroup.Exchange(value, distance);
    }

    private readonly struct Integers : IExchange<int>
    {
        [MethodImpl(Inline)]
        public static int Across(int value, int distance) => SubGroup.ExchangeInteger(value, distance);
    }

    private readonly struct Summed : IJoin<float>
    {
        [MethodImpl(Inline)]
        public static float Of(float a, float b) => a + b;
    }

    private readonly struct SummedInteger : IJoin<int>
    {
        [MethodImpl(Inline)]
        public static int Of(int a, int b) => a + b;
    }

    private readonly struct Largest : IJoin<float>
    {
        [MethodImpl(Inline)]
        public static float Of(float a, float b) => b > a ? b : a;
    }

    private readonly struct Smallest : IJoin<int>
    {
        [MethodImpl(Inline)]
        public static int Of(int a, int b) => b < a ? b : a;
    }
}
