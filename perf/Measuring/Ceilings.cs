using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ILGpuDiffusion.Measuring;

/// <summary>What the machine can do at most, measured: single ops are scored against these.</summary>
/// <param name="Gflops">10⁹ float32 operations per second out of registers, all threads; a multiply-add counts two.</param>
/// <param name="ReadGigabytes">10⁹ bytes per second read from memory, all threads.</param>
/// <param name="CopyGigabytes">10⁹ bytes per second copied, read and written counted, all threads.</param>
public sealed record Ceilings(double Gflops, double ReadGigabytes, double CopyGigabytes)
{
    private const int Rounds = 5, BufferFloats = 16 << 20; // 64 MB per thread: far beyond its share of the caches
    private const long FmaRounds = 4_000_000;

    /// <summary>Measures for about a second; the best of several short runs counts.</summary>
    /// <param name="threads">Threads that run at the same time.</param>
    public static unsafe Ceilings Measure(int threads)
    {
        float*[] buffers = new float*[threads];
        for (int i = 0; i < threads; i++)
        {
            buffers[i] = (float*)NativeMemory.AlignedAlloc(BufferFloats * sizeof(float), 64);
            new Span<float>(buffers[i], BufferFloats).Fill(1);
        }

        int lanes = Vector512.IsHardwareAccelerated ? Vector512<float>.Count : Vector256<float>.Count;
        double fma = Best(threads, _ => Sink(Vector512.IsHardwareAccelerated ? Fma512(FmaRounds) : Fma256(FmaRounds)));
        double read = Best(threads, i => Sink(Sum(buffers[i])));
        double copy = Best(threads, i => Buffer.MemoryCopy(buffers[i], buffers[i] + BufferFloats / 2, BufferFloats * 2L, BufferFloats * 2L));
        foreach (float* buffer in buffers) NativeMemory.AlignedFree(buffer);
        return new(threads * FmaRounds * 10 * lanes * 2 / fma / 1e9, threads * BufferFloats * 4.0 / read / 1e9, threads * BufferFloats * 4.0 / copy / 1e9);
    }

    /// <summary>The share of what the machine allows for so many operations and bytes: the roofline's.</summary>
    public double Share(double flops, double bytes, double seconds) => Math.Max(flops / (Gflops * 1e9), bytes / (ReadGigabytes * 1e9)) / seconds;

    private static double Best(int threads, Action<int> work)
    {
        double best = double.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            using var start = new Barrier(threads + 1);
            Thread[] all = [.. Enumerable.Range(0, threads).Select(i => new Thread(() => { start.SignalAndWait(); work(i); start.SignalAndWait(); }))];
            foreach (var thread in all) thread.Start();
            start.SignalAndWait();
            long from = Stopwatch.GetTimestamp();
            start.SignalAndWait();
            best = Math.Min(best, Stopwatch.GetElapsedTime(from).TotalSeconds);
            foreach (var thread in all) thread.Join();
        }

        return best;
    }

    private static void Sink(float value) => GC.KeepAlive(value == 12345 ? new object() : null);

    /// <summary>Ten sums that do not depend on each other: more than the units' latency times their number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Fma512(long rounds)
    {
        Vector512<float> x = Vector512.Create(1.0000001f), y = Vector512.Create(1e-9f), a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y;
        for (long n = 0; n < rounds; n++)
        {
            (a, b, c, d, e) = (Vector512.FusedMultiplyAdd(a, x, y), Vector512.FusedMultiplyAdd(b, x, y), Vector512.FusedMultiplyAdd(c, x, y), Vector512.FusedMultiplyAdd(d, x, y), Vector512.FusedMultiplyAdd(e, x, y));
            (f, g, h, i, j) = (Vector512.FusedMultiplyAdd(f, x, y), Vector512.FusedMultiplyAdd(g, x, y), Vector512.FusedMultiplyAdd(h, x, y), Vector512.FusedMultiplyAdd(i, x, y), Vector512.FusedMultiplyAdd(j, x, y));
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Fma256(long rounds)
    {
        Vector256<float> x = Vector256.Create(1.0000001f), y = Vector256.Create(1e-9f), a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y;
        for (long n = 0; n < rounds; n++)
        {
            (a, b, c, d, e) = (Vector256.FusedMultiplyAdd(a, x, y), Vector256.FusedMultiplyAdd(b, x, y), Vector256.FusedMultiplyAdd(c, x, y), Vector256.FusedMultiplyAdd(d, x, y), Vector256.FusedMultiplyAdd(e, x, y));
            (f, g, h, i, j) = (Vector256.FusedMultiplyAdd(f, x, y), Vector256.FusedMultiplyAdd(g, x, y), Vector256.FusedMultiplyAdd(h, x, y), Vector256.FusedMultiplyAdd(i, x, y), Vector256.FusedMultiplyAdd(j, x, y));
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe float Sum(float* values)
    {
        Vector<float> a = default, b = default, c = default, d = default;
        int step = Vector<float>.Count;
        for (float* p = values, end = values + BufferFloats; p < end; p += 4 * step)
        {
            a += Vector.Load(p);
            b += Vector.Load(p + step);
            c += Vector.Load(p + 2 * step);
            d += Vector.Load(p + 3 * step);
        }

        return Vector.Sum(a + b + c + d);
    }
}
