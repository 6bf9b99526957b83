using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The ends of rows, at every register width.</summary>
public sealed unsafe class RowEndTests
{
    [Fact]
    public void LoadPartial_OfAnyCount_TakesSoManyAndFillsUp()
    {
        Verify<Simd128>();
        Verify<Simd256>();
        Verify<Simd512>();

        static void Verify<V>() where V : struct, ISimd<V>
        {
            for (int count = 0; count <= V.Count; count++)
            {
                float[] source = [.. Enumerable.Range(1, 16).Select(i => (float)i)], read = new float[16];
                fixed (float* s = source, r = read) V.Store(Simd.LoadPartial<V>(s, count, -1), r);
                Assert.Equal([.. source.Take(count), .. Enumerable.Repeat(-1f, V.Count - count)], read.Take(V.Count));
            }
        }
    }

    [Fact]
    public void StorePartial_OfAnyCount_WritesNothingBeyond()
    {
        Verify<Simd128>();
        Verify<Simd256>();
        Verify<Simd512>();

        static void Verify<V>() where V : struct, ISimd<V>
        {
            for (int count = 0; count <= V.Count; count++)
            {
                float[] target = new float[16];
                fixed (float* t = target) Simd.StorePartial(V.Create(1f), t, count);
                Assert.Equal([.. Enumerable.Repeat(1f, count), .. new float[16 - count]], target);
            }
        }
    }

    [Fact]
    public void Reciprocal_OfExtremes_IsItsLimit()
    {
        Verify<Simd128>();
        Verify<Simd256>();
        Verify<Simd512>();

        static void Verify<V>() where V : struct, ISimd<V>
        {
            Assert.Equal(0, V.Max(V.Reciprocal(V.Create(float.PositiveInfinity))));
            Assert.Equal(1, V.Max(V.Reciprocal(V.Create(1f))));
            Assert.InRange(V.Max(V.Reciprocal(V.Create(3f))), 0.33333329f, 0.33333339f);
        }
    }
}
