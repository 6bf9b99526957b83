using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Splits attention weights into operands of matrix instructions: the nearest 16-bit number, the remainder rounded to 16 bits, and for
/// bfloat16 the remainder of that. A single 16-bit number would lose more precision than the result has.
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
