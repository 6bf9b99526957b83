using System.Numerics;

namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>Division of sizes into blocks, for values of 0 and more.</summary>
internal static class IntegerMath
{
    /// <summary>The number of blocks of <paramref name="size"/> that <paramref name="count"/> elements take.</summary>
    public static T CeilDiv<T>(T count, T size) where T : IBinaryInteger<T> => (count + size - T.One) / size;

    /// <summary>The smallest multiple of <paramref name="size"/> that is not below <paramref name="count"/>.</summary>
    public static T RoundUp<T>(T count, T size) where T : IBinaryInteger<T> => CeilDiv(count, size) * size;
}
