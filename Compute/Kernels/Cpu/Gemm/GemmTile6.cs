using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute;

/// <summary>Six rows by two vectors: 12 accumulators, two operands and one broadcast fill 15 of 16 vector registers.</summary>
internal sealed unsafe class GemmTile6<V> : GemmTile where V : struct, ILanes<V>
{
    public override int Rows => 6;

    public override int Columns => Width;

    private static int Width => 2 * V.Count;

    public override void Multiply(nint depth, float* a, nint rowPitch, nint step, float* b, float* c, nint pitch, int rows, bool accumulate, float* bias) =>
        SixRows(depth, a, rowPitch, step, b, c, pitch, rows, accumulate, bias);

    /// <summary>The product itself, which a higher tile uses for its last few rows.</summary>
    // Accumulators are named locals: the JIT keeps no array in registers. Values are added in the store expression because it
    // would spill all of them if a parameter of an inlined helper were written to.
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    public static void SixRows(nint depth, float* a, nint rowPitch, nint step, float* b, float* c, nint pitch, int rows, bool accumulate, float* bias)
    {
        nint rowBytes = rowPitch * sizeof(float), stepBytes = step * sizeof(float);
        byte* a0 = (byte*)a, a3 = a0 + 3 * rowBytes;
        V c0l = default, c0r = default, c1l = default, c1r = default, c2l = default, c2r = default, c3l = default, c3r = default, c4l = default, c4r = default, c5l = default, c5r = default;
        for (float* end = b + depth * Width; b < end; b += Width)
        {
            V left = V.Load(b), right = V.Load(b + V.Count), x;
            x = V.Create(*(float*)(a0)); c0l = V.MultiplyAdd(x, left, c0l); c0r = V.MultiplyAdd(x, right, c0r);
            x = V.Create(*(float*)(a0 + rowBytes)); c1l = V.MultiplyAdd(x, left, c1l); c1r = V.MultiplyAdd(x, right, c1r);
            x = V.Create(*(float*)(a0 + 2 * rowBytes)); c2l = V.MultiplyAdd(x, left, c2l); c2r = V.MultiplyAdd(x, right, c2r);
            x = V.Create(*(float*)(a3)); c3l = V.MultiplyAdd(x, left, c3l); c3r = V.MultiplyAdd(x, right, c3r);
            x = V.Create(*(float*)(a3 + rowBytes)); c4l = V.MultiplyAdd(x, left, c4l); c4r = V.MultiplyAdd(x, right, c4r);
            x = V.Create(*(float*)(a3 + 2 * rowBytes)); c5l = V.MultiplyAdd(x, left, c5l); c5r = V.MultiplyAdd(x, right, c5r);
            a0 += stepBytes; a3 += stepBytes;
        }

        V p = default, q = default;
        if (bias is not null) (p, q) = (V.Load(bias), V.Load(bias + V.Count));
        Store(c, c0l + p, c0r + q, accumulate); if (rows == 1) return; c += pitch;
        Store(c, c1l + p, c1r + q, accumulate); if (rows == 2) return; c += pitch;
        Store(c, c2l + p, c2r + q, accumulate); if (rows == 3) return; c += pitch;
        Store(c, c3l + p, c3r + q, accumulate); if (rows == 4) return; c += pitch;
        Store(c, c4l + p, c4r + q, accumulate); if (rows == 5) return; c += pitch;
        Store(c, c5l + p, c5r + q, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store(float* c, V left, V right, bool accumulate)
    {
        V.Store(accumulate ? V.Load(c) + left : left, c);
        V.Store(accumulate ? V.Load(c + V.Count) + right : right, c + V.Count);
    }
}
