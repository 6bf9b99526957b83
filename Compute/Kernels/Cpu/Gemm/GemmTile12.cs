using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute;

/// <summary>Twelve rows by two vectors, for processors with 32 vector registers: 24 accumulators, two operands and one broadcast.</summary>
internal sealed unsafe class GemmTile12<V> : GemmTile where V : struct, ILanes<V>
{
    public override int Rows => 12;

    public override int Columns => Width;

    private static int Width => 2 * V.Count;

    public override void Multiply(nint depth, float* a, nint rowPitch, nint step, float* b, float* c, nint pitch, int rows, bool accumulate, float* bias)
    {
        if (rows <= 6) GemmTile6<V>.SixRows(depth, a, rowPitch, step, b, c, pitch, rows, accumulate, bias);
        else TwelveRows(depth, a, rowPitch, step, b, c, pitch, rows, accumulate, bias);
    }

    // Four addresses and multiples of the pitch reach all rows without arithmetic in between.
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private static void TwelveRows(nint depth, float* a, nint rowPitch, nint step, float* b, float* c, nint pitch, int rows, bool accumulate, float* bias)
    {
        nint rowBytes = rowPitch * sizeof(float), stepBytes = step * sizeof(float);
        byte* a0 = (byte*)a, a3 = a0 + 3 * rowBytes, a6 = a3 + 3 * rowBytes, a9 = a6 + 3 * rowBytes;
        V c0l = default, c0r = default, c1l = default, c1r = default, c2l = default, c2r = default, c3l = default, c3r = default, c4l = default, c4r = default, c5l = default, c5r = default;
        V c6l = default, c6r = default, c7l = default, c7r = default, c8l = default, c8r = default, c9l = default, c9r = default, c10l = default, c10r = default, c11l = default, c11r = default;
        for (float* end = b + depth * Width; b < end; b += Width)
        {
            V left = V.Load(b), right = V.Load(b + V.Count), x;
            x = V.Create(*(float*)(a0)); c0l = V.MultiplyAdd(x, left, c0l); c0r = V.MultiplyAdd(x, right, c0r);
            x = V.Create(*(float*)(a0 + rowBytes)); c1l = V.MultiplyAdd(x, left, c1l); c1r = V.MultiplyAdd(x, right, c1r);
            x = V.Create(*(float*)(a0 + 2 * rowBytes)); c2l = V.MultiplyAdd(x, left, c2l); c2r = V.MultiplyAdd(x, right, c2r);
            x = V.Create(*(float*)(a3)); c3l = V.MultiplyAdd(x, left, c3l); c3r = V.MultiplyAdd(x, right, c3r);
            x = V.Create(*(float*)(a3 + rowBytes)); c4l = V.MultiplyAdd(x, left, c4l); c4r = V.MultiplyAdd(x, right, c4r);
            x = V.Create(*(float*)(a3 + 2 * rowBytes)); c5l = V.MultiplyAdd(x, left, c5l); c5r = V.MultiplyAdd(x, right, c5r);
            x = V.Create(*(float*)(a6)); c6l = V.MultiplyAdd(x, left, c6l); c6r = V.MultiplyAdd(x, right, c6r);
            x = V.Create(*(float*)(a6 + rowBytes)); c7l = V.MultiplyAdd(x, left, c7l); c7r = V.MultiplyAdd(x, right, c7r);
            x = V.Create(*(float*)(a6 + 2 * rowBytes)); c8l = V.MultiplyAdd(x, left, c8l); c8r = V.MultiplyAdd(x, right, c8r);
            x = V.Create(*(float*)(a9)); c9l = V.MultiplyAdd(x, left, c9l); c9r = V.MultiplyAdd(x, right, c9r);
            x = V.Create(*(float*)(a9 + rowBytes)); c10l = V.MultiplyAdd(x, left, c10l); c10r = V.MultiplyAdd(x, right, c10r);
            x = V.Create(*(float*)(a9 + 2 * rowBytes)); c11l = V.MultiplyAdd(x, left, c11l); c11r = V.MultiplyAdd(x, right, c11r);
            a0 += stepBytes; a3 += stepBytes; a6 += stepBytes; a9 += stepBytes;
        }

        V p = default, q = default;
        if (bias is not null) (p, q) = (V.Load(bias), V.Load(bias + V.Count));
        Store(c, c0l + p, c0r + q, accumulate); if (rows == 1) return; c += pitch;
        Store(c, c1l + p, c1r + q, accumulate); if (rows == 2) return; c += pitch;
        Store(c, c2l + p, c2r + q, accumulate); if (rows == 3) return; c += pitch;
        Store(c, c3l + p, c3r + q, accumulate); if (rows == 4) return; c += pitch;
        Store(c, c4l + p, c4r + q, accumulate); if (rows == 5) return; c += pitch;
        Store(c, c5l + p, c5r + q, accumulate); if (rows == 6) return; c += pitch;
        Store(c, c6l + p, c6r + q, accumulate); if (rows == 7) return; c += pitch;
        Store(c, c7l + p, c7r + q, accumulate); if (rows == 8) return; c += pitch;
        Store(c, c8l + p, c8r + q, accumulate); if (rows == 9) return; c += pitch;
        Store(c, c9l + p, c9r + q, accumulate); if (rows == 10) return; c += pitch;
        Store(c, c10l + p, c10r + q, accumulate); if (rows == 11) return; c += pitch;
        Store(c, c11l + p, c11r + q, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, V left, V right, bool accumulate) => GemmTile6<V>.Store(c, left, right, accumulate);
}
