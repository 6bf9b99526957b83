using System.Runtime.CompilerServices;
using ILGPU;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The layout of each <see cref="MatrixUnitKind"/>, and shared functions of layouts.</summary>
internal static class MatrixLayouts
{
    /// <summary>The type argument; null if there are no matrix instructions.</summary>
    public static Type? Of(MatrixUnitKind kind) => kind switch
    {
        MatrixUnitKind.Cuda => typeof(WarpLayout),
        MatrixUnitKind.Intel8 => typeof(IntelLayout<ShareOfEight>),
        MatrixUnitKind.Intel16 => typeof(IntelLayout<ShareOfSixteen>),
        MatrixUnitKind.Rdna3 => typeof(Rdna3Layout),
        MatrixUnitKind.Rdna4 => typeof(Rdna4Layout),
        _ => null,
    };

    /// <summary>A whole row of sixteen elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Word8 Row(ArrayView<Word4> local, int at)
    {
        Word4 low = local[at], high = local[at + 1];
        return new() { A = low.X, B = low.Y, C = low.Z, D = low.W, E = high.X, F = high.Y, G = high.Z, H = high.W };
    }
}
