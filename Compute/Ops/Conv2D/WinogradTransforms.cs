using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// The one-dimensional transforms of Winograd's F(4, 3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015,
/// arXiv:1509.09308): four results of a kernel of three from six values d with six products instead of twelve,
/// y = Aᵀ((G g) ∘ (Bᵀ d)). Applied to rows and columns they make F(4×4, 3×3): 36 products instead of 144.
/// </summary>
/// <remarks>
/// The six multiplications evaluate polynomials at six points, here 0, ±2/3, ±3/2 and ∞. Any six give the same result in exact arithmetic,
/// but rounding errors reach the result multiplied by factors that depend on the points: with these, 4.8 on average over the four results
/// (4.7 is the least that any points reach, found by search); with the usual 0, ±1, ±2, ∞ it is 10.8, and 31 for the last. Together with
/// the short sums of <see cref="WinogradGrid"/> the relative rms error against float64 is 3.3e-7 at 32 channels, 5.9e-7 at 320 and 6.6e-7
/// at 2560, where the implicit GEMM has 2.0e-7, 2.3e-7 and 2.9e-7; WinogradTests hold it below 8e-7. An infinite or NaN pixel makes all
/// results of its tiles NaN.
/// </remarks>
internal static unsafe class WinogradTransforms
{
    /// <summary>Lanes of the widest register.</summary>
    public const int MostLanes = 16;

    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const double A = 2.0 / 3, B = 3.0 / 2; // the points' magnitudes; A · B = 1
    private const double NormA = 2 * A * A * (A * A - B * B), NormB = 2 * B * B * (B * B - A * A); // Π (p − q) over the other points q

    /// <summary>Writes six registers, <paramref name="pitch"/> values apart.</summary>
    [MethodImpl(Inline)]
    public static void Store<V>(float* target, nint pitch, V v0, V v1, V v2, V v3, V v4, V v5)
        where V : struct, ISimd<V>
    {
        V.Store(v0, target);
        V.Store(v1, target + pitch);
        V.Store(v2, target + 2 * pitch);
        V.Store(v3, target + 3 * pitch);
        V.Store(v4, target + 4 * pitch);
        V.Store(v5, target + 5 * pitch);
    }

    /// <summary>Bᵀ d: six values of a patch's row or column.</summary>
    [MethodImpl(Inline)]
    public static void Input<V>(V d0, V d1, V d2, V d3, V d4, V d5, out V zero, out V plusA, out V minusA, out V plusB, out V minusB,
        out V infinity)
        where V : struct, ISimd<V>
    {
        V squares = V.Create((float)-(A * A + B * B)), squareA = V.Create((float)-(A * A)), squareB = V.Create((float)-(B * B));
        zero = V.MultiplyAdd(squares, d2, d0 + d4);
        infinity = V.MultiplyAdd(squares, d3, d1 + d5);
        V even = V.MultiplyAdd(squareB, d2, d4), odd = V.MultiplyAdd(squareB, d1, d3) * V.Create((float)A);
        (plusA, minusA) = (even + odd, even - odd);
        even = V.MultiplyAdd(squareA, d2, d4);
        odd = V.MultiplyAdd(squareA, d1, d3) * V.Create((float)B);
        (plusB, minusB) = (even + odd, even - odd);
    }

    /// <summary>G g: three weights of a kernel's row or column.</summary>
    [MethodImpl(Inline)]
    public static void Weights<V>(V g0, V g1, V g2, out V zero, out V plusA, out V minusA, out V plusB, out V minusB, out V infinity)
        where V : struct, ISimd<V>
    {
        (zero, infinity) = (g0, g2);
        V even = V.MultiplyAdd(V.Create((float)(A * A / NormA)), g2, V.Create((float)(1 / NormA)) * g0),
            odd = V.Create((float)(A / NormA)) * g1;
        (plusA, minusA) = (even + odd, even - odd);
        even = V.MultiplyAdd(V.Create((float)(B * B / NormB)), g2, V.Create((float)(1 / NormB)) * g0);
        odd = V.Create((float)(B / NormB)) * g1;
        (plusB, minusB) = (even + odd, even - odd);
    }

    /// <summary>Aᵀ m: four results from six values.</summary>
    [MethodImpl(Inline)]
    public static void Output<V>(V zero, V plusA, V minusA, V plusB, V minusB, V infinity, out V y0, out V y1, out V y2, out V y3)
        where V : struct, ISimd<V>
    {
        V evenA = plusA + minusA, oddA = plusA - minusA, evenB = plusB + minusB, oddB = plusB - minusB;
        y0 = zero + evenA + evenB;
        y1 = V.MultiplyAdd(V.Create((float)A), oddA, V.Create((float)B) * oddB);
        y2 = V.MultiplyAdd(V.Create((float)(A * A)), evenA, V.Create((float)(B * B)) * evenB);
        y3 = V.MultiplyAdd(V.Create((float)(A * A * A)), oddA, V.MultiplyAdd(V.Create((float)(B * B * B)), oddB, infinity));
    }

    /// <summary>Rounds an address up to a cache line: registers stored across two lines cost twice the time.</summary>
    [MethodImpl(Inline)]
    public static float* Align(float* memory) => (float*)(((nint)memory + MostLanes * sizeof(float) - 1) & -(MostLanes * sizeof(float)));
}
