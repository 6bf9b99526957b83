using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>How kernels with matrix instructions multiply softmax weights: a type argument.</summary>
internal interface IWeightParts
{
    /// <summary>Whether weights are multiplied in as many 16-bit parts as keep their precision.</summary>
    static abstract bool Exact { get; }
}

/// <summary>One part: weights are rounded, as in FlashAttention.</summary>
internal readonly struct RoundedWeights : IWeightParts
{
    public static bool Exact => false;
}

/// <summary>Two parts in float16, three in bfloat16 (<see cref="HiLoSplit"/>).</summary>
internal readonly struct ExactWeights : IWeightParts
{
    public static bool Exact => true;
}

/// <summary>
/// Splits attention weights into operands of matrix instructions: the nearest 16-bit number, the remainder rounded to 16 bits, and for
/// bfloat16 the remainder of that.
/// </summary>
internal static class HiLoSplit
{
    /// <summary>Rounds eight weights to 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Word4 Packed<E>(Float4 first, Float4 second) where E : struct, IElement<ushort> => new()
    {
        X = E.Narrow(first.X) | (uint)E.Narrow(first.Y) << 16,
        Y = E.Narrow(first.Z) | (uint)E.Narrow(first.W) << 16,
        Z = E.Narrow(second.X) | (uint)E.Narrow(second.Y) << 16,
        W = E.Narrow(second.Z) | (uint)E.Narrow(second.W) << 16,
    };

    /// <summary>The remainders of four packed numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Rest<E>(Float4 weights, uint low, uint high) where E : struct, IElement<ushort> =>
        new(weights.X - E.Widen((ushort)low), weights.Y - E.Widen((ushort)(low >> 16)), weights.Z - E.Widen((ushort)high),
            weights.W - E.Widen((ushort)(high >> 16)));
}
