using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Integer type of table indices: a type argument of lookup kernels.</summary>
/// <typeparam name="T">int or long.</typeparam>
internal interface IIndex<T> where T : unmanaged
{
    /// <summary>The index, or −1 if it is outside 0 … <paramref name="count"/> − 1.</summary>
    static abstract int Within(T number, int count);
}

/// <summary>32-bit indices.</summary>
internal readonly struct Int32Index : IIndex<int>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Within(int number, int count) => number < 0 ? -1 : number < count ? number : -1;
}

/// <summary>64-bit indices.</summary>
internal readonly struct Int64Index : IIndex<long>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Within(long number, int count) => number < 0 ? -1 : number < count ? (int)number : -1;
}
