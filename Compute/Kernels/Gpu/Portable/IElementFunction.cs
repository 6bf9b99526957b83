using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A function of one element and two parameters: a type argument of <see cref="MapGpu"/>'s kernel.</summary>
internal interface IElementFunction
{
    /// <summary>f(x; a, b) in float32.</summary>
    static abstract float Apply(float x, float a, float b);
}

/// <summary>f(x) = x.</summary>
internal readonly struct SameElement : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Apply(float x, float a, float b) => x;
}
