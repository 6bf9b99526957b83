using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Measures the CPU's peak rates with all of a device's threads, in well under a second.</summary>
internal static class CpuCeilings
{
    private const int Rounds = 6;

    public static DeviceCeilings Measure(CpuDevice device) =>
        SimdWidth.Bits == 512 ? Measure<Simd512>(device) : SimdWidth.Bits >= 256 ? Measure<Simd256>(device) : Measure<Simd128>(device);

    private static DeviceCeilings Measure<V>(CpuDevice device) where V : struct, ISimd<V>
    {
        using var copy = new CopyTask<V>(device.Workers.Count);
        return new(Best(new MultiplyAddTask<V>(), MultiplyAddTask<V>.FlopsPerPart), Best(copy, copy.BytesPerPart),
            $"measured: multiply-adds in registers and a copy between two arrays of {CopyTask<V>.ArrayBytes >> 20} MiB, {device.Threads} "
                + $"thread(s), best of {Rounds}");

        // The best round, because other programs on the machine can only slow a round down.
        double Best(IParallelTask task, double workPerPart)
        {
            double best = 0;
            for (int round = 0; round < Rounds; round++)
            {
                long start = Stopwatch.GetTimestamp();
                device.Workers.Run(task, device.Workers.Count);
                best = Math.Max(best, workPerPart * device.Workers.Count / Stopwatch.GetElapsedTime(start).TotalSeconds);
            }

            return best;
        }
    }

    /// <summary>
    /// Twelve chains of multiply-adds: more than latency times units of any processor so far, and few enough for sixteen registers.
    /// </summary>
    private sealed unsafe class MultiplyAddTask<V> : IParallelTask where V : struct, ISimd<V>
    {
        private const int Chains = 12, Steps = 1_000_000;

        public static double FlopsPerPart => 2.0 * Chains * Steps * V.Count;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute(int part, int worker)
        {
            V x = V.Create(0.5f), y = V.Create(part + 1), a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y,
                l = y;
            for (int step = 0; step < Steps; step++)
            {
                (a, b, c, d) = (V.MultiplyAdd(a, x, y), V.MultiplyAdd(b, x, y), V.MultiplyAdd(c, x, y), V.MultiplyAdd(d, x, y));
                (e, f, g, h) = (V.MultiplyAdd(e, x, y), V.MultiplyAdd(f, x, y), V.MultiplyAdd(g, x, y), V.MultiplyAdd(h, x, y));
                (i, j, k, l) = (V.MultiplyAdd(i, x, y), V.MultiplyAdd(j, x, y), V.MultiplyAdd(k, x, y), V.MultiplyAdd(l, x, y));
            }

            float* kept = stackalloc float[V.Count];
            V.Store(a + b + (c + d) + (e + f + (g + h)) + (i + j + (k + l)), kept); // else the compiler could remove the loop
            if (float.IsNaN(*kept)) throw new InvalidOperationException("A sum of finite numbers is not a number.");
        }
    }

    /// <summary>Each part copies its share of one array to another; both are too large for most caches.</summary>
    private sealed unsafe class CopyTask<V>(int parts) : IParallelTask, IDisposable where V : struct, ISimd<V>
    {
        public const long ArrayBytes = 96 << 20;

        private readonly long elements = ArrayBytes / sizeof(float) / parts / V.Count * V.Count;
        // both arrays: one allocation fails whole
        private readonly float* source = (float*)NativeMemory.AlignedAlloc(2 * (nuint)ArrayBytes, 64);
        private readonly bool[] prepared = new bool[parts];

        public double BytesPerPart => 2.0 * elements * sizeof(float);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute(int part, int worker)
        {
            float* from = source + part * elements, end = from + elements, to = source + ArrayBytes / sizeof(float) + part * elements;
            if (!prepared[part]) new Span<float>(from, (int)elements).Fill(1); // untouched memory is mapped to one shared page of zeros
            prepared[part] = true;
            for (; from < end; from += V.Count, to += V.Count) V.Store(V.Load(from), to);
        }

        public void Dispose() => NativeMemory.AlignedFree(source);
    }
}
