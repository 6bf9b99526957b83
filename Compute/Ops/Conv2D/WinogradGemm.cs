using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// The micro-kernel of Winograd's GEMMs: like <see cref="GemmTile"/>, but its left operand has the layout that the input transform writes,
/// so that nothing is transposed: steps of 16 channels, each <c>a[tile][channel]</c> and <c>b[channel][column]</c>.
/// </summary>
internal static unsafe class WinogradGemm<V> where V : struct, ISimd<V>
{
    private const int Step = WinogradGrid.ChannelStep;

    private static int Width => 2 * V.Count;

    /// <summary>
    /// c = a·b, or c += a·b, in ascending order of the channels. Rows are computed in multiples of four: so many rows of a and c must
    /// exist.
    /// </summary>
    /// <param name="depth">Channels.</param>
    /// <param name="a">Left operand.</param>
    /// <param name="strideA">Elements from one step of it to the next.</param>
    /// <param name="b">Right operand, two registers wide.</param>
    /// <param name="strideB">Elements from one step of it to the next.</param>
    /// <param name="c">Results, two registers per row.</param>
    /// <param name="rows">Number of rows needed.</param>
    /// <param name="accumulate">Whether to add to what c holds.</param>
    /// <param name="next">Operands to prefetch meanwhile.</param>
    public static void Multiply(nint depth, float* a, nint strideA, float* b, nint strideB, float* c, int rows, bool accumulate,
        in WinogradAhead next)
    {
        if (rows > 8) TwelveRows(depth, a, strideA, b, strideB, c, accumulate, (float*)next.A, (float*)next.B, next.LinesOfB);
        else if (rows > 6) EightRows(depth, a, strideA, b, strideB, c, accumulate, (float*)next.A, (float*)next.B, next.LinesOfB);
        else if (rows > 4) SixRows(depth, a, strideA, b, strideB, c, accumulate, (float*)next.A, (float*)next.B, next.LinesOfB);
        else FourRows(depth, a, strideA, b, strideB, c, accumulate, (float*)next.A, (float*)next.B, next.LinesOfB);
    }

    // Accumulators are named locals: the JIT keeps no array in registers.
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private static void TwelveRows(nint depth, float* a, nint strideA, float* b, nint strideB, float* c, bool accumulate, float* nextA,
        float* nextB, int linesB)
    {
        V c0l = default, c0r = default, c1l = default, c1r = default, c2l = default, c2r = default, c3l = default, c3r = default,
            c4l = default, c4r = default, c5l = default, c5r = default;
        V c6l = default, c6r = default, c7l = default, c7r = default, c8l = default, c8r = default, c9l = default, c9r = default,
            c10l = default, c10r = default, c11l = default, c11r = default;
        for (; depth > 0; depth -= Step, a += strideA - Step, b += strideB - Step * Width)
        {
            Prefetch(nextA, 12);
            Prefetch(nextB, linesB);
            nextA += strideA;
            nextB += strideB;
            for (float* stop = b + nint.Min(depth, Step) * Width; b < stop; b += Width, a++)
            {
                V left = V.Load(b), right = V.Load(b + V.Count), x;
                x = V.Create(a[0]); c0l = V.MultiplyAdd(x, left, c0l); c0r = V.MultiplyAdd(x, right, c0r);
                x = V.Create(a[Step]); c1l = V.MultiplyAdd(x, left, c1l); c1r = V.MultiplyAdd(x, right, c1r);
                x = V.Create(a[2 * Step]); c2l = V.MultiplyAdd(x, left, c2l); c2r = V.MultiplyAdd(x, right, c2r);
                x = V.Create(a[3 * Step]); c3l = V.MultiplyAdd(x, left, c3l); c3r = V.MultiplyAdd(x, right, c3r);
                x = V.Create(a[4 * Step]); c4l = V.MultiplyAdd(x, left, c4l); c4r = V.MultiplyAdd(x, right, c4r);
                x = V.Create(a[5 * Step]); c5l = V.MultiplyAdd(x, left, c5l); c5r = V.MultiplyAdd(x, right, c5r);
                x = V.Create(a[6 * Step]); c6l = V.MultiplyAdd(x, left, c6l); c6r = V.MultiplyAdd(x, right, c6r);
                x = V.Create(a[7 * Step]); c7l = V.MultiplyAdd(x, left, c7l); c7r = V.MultiplyAdd(x, right, c7r);
                x = V.Create(a[8 * Step]); c8l = V.MultiplyAdd(x, left, c8l); c8r = V.MultiplyAdd(x, right, c8r);
                x = V.Create(a[9 * Step]); c9l = V.MultiplyAdd(x, left, c9l); c9r = V.MultiplyAdd(x, right, c9r);
                x = V.Create(a[10 * Step]); c10l = V.MultiplyAdd(x, left, c10l); c10r = V.MultiplyAdd(x, right, c10r);
                x = V.Create(a[11 * Step]); c11l = V.MultiplyAdd(x, left, c11l); c11r = V.MultiplyAdd(x, right, c11r);
            }
        }

        if (accumulate)
        {
            Add(c, c0l, c0r, c1l, c1r);
            Add(c + 2 * Width, c2l, c2r, c3l, c3r);
            Add(c + 4 * Width, c4l, c4r, c5l, c5r);
            Add(c + 6 * Width, c6l, c6r, c7l, c7r);
            Add(c + 8 * Width, c8l, c8r, c9l, c9r);
            Add(c + 10 * Width, c10l, c10r, c11l, c11r);
        }
        else
        {
            Store(c, c0l, c0r, c1l, c1r);
            Store(c + 2 * Width, c2l, c2r, c3l, c3r);
            Store(c + 4 * Width, c4l, c4r, c5l, c5r);
            Store(c + 6 * Width, c6l, c6r, c7l, c7r);
            Store(c + 8 * Width, c8l, c8r, c9l, c9r);
            Store(c + 10 * Width, c10l, c10r, c11l, c11r);
        }
    }

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private static void EightRows(nint depth, float* a, nint strideA, float* b, nint strideB, float* c, bool accumulate, float* nextA,
        float* nextB, int linesB)
    {
        V c0l = default, c0r = default, c1l = default, c1r = default, c2l = default, c2r = default, c3l = default, c3r = default;
        V c4l = default, c4r = default, c5l = default, c5r = default, c6l = default, c6r = default, c7l = default, c7r = default;
        for (; depth > 0; depth -= Step, a += strideA - Step, b += strideB - Step * Width)
        {
            Prefetch(nextA, 8);
            Prefetch(nextB, linesB);
            nextA += strideA;
            nextB += strideB;
            for (float* stop = b + nint.Min(depth, Step) * Width; b < stop; b += Width, a++)
            {
                V left = V.Load(b), right = V.Load(b + V.Count), x;
                x = V.Create(a[0]); c0l = V.MultiplyAdd(x, left, c0l); c0r = V.MultiplyAdd(x, right, c0r);
                x = V.Create(a[Step]); c1l = V.MultiplyAdd(x, left, c1l); c1r = V.MultiplyAdd(x, right, c1r);
                x = V.Create(a[2 * Step]); c2l = V.MultiplyAdd(x, left, c2l); c2r = V.MultiplyAdd(x, right, c2r);
                x = V.Create(a[3 * Step]); c3l = V.MultiplyAdd(x, left, c3l); c3r = V.MultiplyAdd(x, right, c3r);
                x = V.Create(a[4 * Step]); c4l = V.MultiplyAdd(x, left, c4l); c4r = V.MultiplyAdd(x, right, c4r);
                x = V.Create(a[5 * Step]); c5l = V.MultiplyAdd(x, left, c5l); c5r = V.MultiplyAdd(x, right, c5r);
                x = V.Create(a[6 * Step]); c6l = V.MultiplyAdd(x, left, c6l); c6r = V.MultiplyAdd(x, right, c6r);
                x = V.Create(a[7 * Step]); c7l = V.MultiplyAdd(x, left, c7l); c7r = V.MultiplyAdd(x, right, c7r);
            }
        }

        if (accumulate)
        {
            Add(c, c0l, c0r, c1l, c1r);
            Add(c + 2 * Width, c2l, c2r, c3l, c3r);
            Add(c + 4 * Width, c4l, c4r, c5l, c5r);
            Add(c + 6 * Width, c6l, c6r, c7l, c7r);
        }
        else
        {
            Store(c, c0l, c0r, c1l, c1r);
            Store(c + 2 * Width, c2l, c2r, c3l, c3r);
            Store(c + 4 * Width, c4l, c4r, c5l, c5r);
            Store(c + 6 * Width, c6l, c6r, c7l, c7r);
        }
    }

    /// <summary>For 16 vector registers.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private static void SixRows(nint depth, float* a, nint strideA, float* b, nint strideB, float* c, bool accumulate, float* nextA,
        float* nextB, int linesB)
    {
        V c0l = default, c0r = default, c1l = default, c1r = default, c2l = default, c2r = default, c3l = default, c3r = default,
            c4l = default, c4r = default, c5l = default, c5r = default;
        for (; depth > 0; depth -= Step, a += strideA - Step, b += strideB - Step * Width)
        {
            Prefetch(nextA, 6);
            Prefetch(nextB, linesB);
            nextA += strideA;
            nextB += strideB;
            for (float* stop = b + nint.Min(depth, Step) * Width; b < stop; b += Width, a++)
            {
                V left = V.Load(b), right = V.Load(b + V.Count), x;
                x = V.Create(a[0]); c0l = V.MultiplyAdd(x, left, c0l); c0r = V.MultiplyAdd(x, right, c0r);
                x = V.Create(a[Step]); c1l = V.MultiplyAdd(x, left, c1l); c1r = V.MultiplyAdd(x, right, c1r);
                x = V.Create(a[2 * Step]); c2l = V.MultiplyAdd(x, left, c2l); c2r = V.MultiplyAdd(x, right, c2r);
                x = V.Create(a[3 * Step]); c3l = V.MultiplyAdd(x, left, c3l); c3r = V.MultiplyAdd(x, right, c3r);
                x = V.Create(a[4 * Step]); c4l = V.MultiplyAdd(x, left, c4l); c4r = V.MultiplyAdd(x, right, c4r);
                x = V.Create(a[5 * Step]); c5l = V.MultiplyAdd(x, left, c5l); c5r = V.MultiplyAdd(x, right, c5r);
            }
        }

        if (accumulate)
        {
            Add(c, c0l, c0r, c1l, c1r);
            Add(c + 2 * Width, c2l, c2r, c3l, c3r);
            Add(c + 4 * Width, c4l, c4r, c5l, c5r);
        }
        else
        {
            Store(c, c0l, c0r, c1l, c1r);
            Store(c + 2 * Width, c2l, c2r, c3l, c3r);
            Store(c + 4 * Width, c4l, c4r, c5l, c5r);
        }
    }

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private static void FourRows(nint depth, float* a, nint strideA, float* b, nint strideB, float* c, bool accumulate, float* nextA,
        float* nextB, int linesB)
    {
        V c0l = default, c0r = default, c1l = default, c1r = default, c2l = default, c2r = default, c3l = default, c3r = default;
        for (; depth > 0; depth -= Step, a += strideA - Step, b += strideB - Step * Width)
        {
            Prefetch(nextA, 4);
            Prefetch(nextB, linesB);
            nextA += strideA;
            nextB += strideB;
            for (float* stop = b + nint.Min(depth, Step) * Width; b < stop; b += Width, a++)
            {
                V left = V.Load(b), right = V.Load(b + V.Count), x;
                x = V.Create(a[0]); c0l = V.MultiplyAdd(x, left, c0l); c0r = V.MultiplyAdd(x, right, c0r);
                x = V.Create(a[Step]); c1l = V.MultiplyAdd(x, left, c1l); c1r = V.MultiplyAdd(x, right, c1r);
                x = V.Create(a[2 * Step]); c2l = V.MultiplyAdd(x, left, c2l); c2r = V.MultiplyAdd(x, right, c2r);
                x = V.Create(a[3 * Step]); c3l = V.MultiplyAdd(x, left, c3l); c3r = V.MultiplyAdd(x, right, c3r);
            }
        }

        if (accumulate)
        {
            Add(c, c0l, c0r, c1l, c1r);
            Add(c + 2 * Width, c2l, c2r, c3l, c3r);
        }
        else
        {
            Store(c, c0l, c0r, c1l, c1r);
            Store(c + 2 * Width, c2l, c2r, c3l, c3r);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float* next, int lines)
    {
        const int CacheLine = 16;
        if (!Sse.IsSupported) return;
        for (float* end = next + lines * CacheLine; next < end; next += CacheLine) Sse.Prefetch0(next);
    }

    // Two separate paths: a test at every store would cost more than the stores.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, V l0, V r0, V l1, V r1)
    {
        V.Store(l0, c);
        V.Store(r0, c + V.Count);
        V.Store(l1, c + Width);
        V.Store(r1, c + Width + V.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float* c, V l0, V r0, V l1, V r1) =>
        Store(c, V.Load(c) + l0, V.Load(c + V.Count) + r0, V.Load(c + Width) + l1, V.Load(c + Width + V.Count) + r1);
}

/// <summary>
/// Operands of the following GEMMs, prefetched during this one: hardware prefetchers do not detect where one ends and another begins.
/// </summary>
/// <param name="A">The next left operand.</param>
/// <param name="B">This GEMM's share of the next right operand.</param>
/// <param name="LinesOfB">Cache lines of that share in each step of channels.</param>
internal readonly record struct WinogradAhead(nint A, nint B, int LinesOfB);
