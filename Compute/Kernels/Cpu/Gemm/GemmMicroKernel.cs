using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// The micro-kernels of <see cref="GemmTile"/> and <see cref="IntegerTile"/>. Six rows by two vectors use 12 accumulators, two operands and
/// one broadcast: 15 of 16 vector registers. Twelve rows use 27 of 32. Element k of row r of a is <c>a[r * rowPitch + k * step]</c>; b is
/// packed, [K, two vectors].
/// </summary>
// Accumulators are named locals, because the JIT keeps no array in registers. The tile end receives them after the loop and must not write
// to its parameters, or the JIT would spill all of them. One address per three rows, plus multiples of the pitch, reaches all rows without
// address arithmetic inside the loop.
internal static unsafe class GemmMicroKernel<V> where V : struct, ILanes<V>
{
    /// <summary>Elements of b per k.</summary>
    public static int Width => 2 * V.Count;

    /// <summary>Writes the first <paramref name="rows"/> of six rows.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    public static void SixRows<TEnd>(nint depth, float* a, nint rowPitch, nint step, float* b, int rows, TEnd* end)
        where TEnd : unmanaged, ITileEnd<V>
    {
        nint rowBytes = rowPitch * sizeof(float), stepBytes = step * sizeof(float);
        byte* a0 = (byte*)a, a3 = a0 + 3 * rowBytes;
        V c0l = default, c0r = default, c1l = default, c1r = default, c2l = default, c2r = default, c3l = default, c3r = default,
            c4l = default, c4r = default, c5l = default, c5r = default;
        for (float* last = b + depth * Width; b < last; b += Width)
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

        end->Store(0, c0l, c0r); if (rows == 1) return;
        end->Store(1, c1l, c1r); if (rows == 2) return;
        end->Store(2, c2l, c2r); if (rows == 3) return;
        end->Store(3, c3l, c3r); if (rows == 4) return;
        end->Store(4, c4l, c4r); if (rows == 5) return;
        end->Store(5, c5l, c5r);
    }

    /// <summary>Writes the first <paramref name="rows"/> of twelve rows; the others are read too.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    public static void TwelveRows<TEnd>(nint depth, float* a, nint rowPitch, nint step, float* b, int rows, TEnd* end)
        where TEnd : unmanaged, ITileEnd<V>
    {
        nint rowBytes = rowPitch * sizeof(float), stepBytes = step * sizeof(float);
        byte* a0 = (byte*)a, a3 = a0 + 3 * rowBytes, a6 = a3 + 3 * rowBytes, a9 = a6 + 3 * rowBytes;
        V c0l = default, c0r = default, c1l = default, c1r = default, c2l = default, c2r = default, c3l = default, c3r = default,
            c4l = default, c4r = default, c5l = default, c5r = default;
        V c6l = default, c6r = default, c7l = default, c7r = default, c8l = default, c8r = default, c9l = default, c9r = default,
            c10l = default, c10r = default, c11l = default, c11r = default;
        for (float* last = b + depth * Width; b < last; b += Width)
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

        end->Store(0, c0l, c0r); if (rows == 1) return;
        end->Store(1, c1l, c1r); if (rows == 2) return;
        end->Store(2, c2l, c2r); if (rows == 3) return;
        end->Store(3, c3l, c3r); if (rows == 4) return;
        end->Store(4, c4l, c4r); if (rows == 5) return;
        end->Store(5, c5l, c5r); if (rows == 6) return;
        end->Store(6, c6l, c6r); if (rows == 7) return;
        end->Store(7, c7l, c7r); if (rows == 8) return;
        end->Store(8, c8l, c8r); if (rows == 9) return;
        end->Store(9, c9l, c9r); if (rows == 10) return;
        end->Store(10, c10l, c10r); if (rows == 11) return;
        end->Store(11, c11l, c11r);
    }
}
