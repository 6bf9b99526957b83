using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Pipelines.LatentSpace;

/// <summary>
/// PyTorch's CPU generator: a seed gives the same numbers, draw by draw, as randn and rand with
/// <c>torch.Generator("cpu").manual_seed(seed)</c>. Not thread-safe. Filling allocates nothing.
/// </summary>
/// <remarks>
/// PyTorch has two builds of float32 randn for 16 and more values. One takes logarithm, sine and cosine from the C library, value by value;
/// the other (AVX2, the common one) approximates them eight at a time and differs from the first by up to 2.1e-6. This class follows the
/// first: <see cref="MathF"/> also calls the C library, so with glibc the values equal that build's bit for bit, and with another C library
/// they may differ in the last bits. They differ from the AVX2 build as much as PyTorch's two builds do. Fewer than 16 values, float64 and
/// rand do not depend on PyTorch's build.
/// </remarks>
public sealed class TorchGenerator
{
    private const int Block = 16, Half = Block / 2;
    private readonly MersenneTwister twister;
    private double spare;
    private bool hasSpare;

    /// <summary>Starts the stream of a seed. As in PyTorch, it depends on the seed's low 32 bits only.</summary>
    public TorchGenerator(Seed seed)
    {
        Seed = seed;
        twister = new MersenneTwister(unchecked((uint)seed.Value));
    }

    /// <summary>The seed given.</summary>
    public Seed Seed { get; }

    /// <summary>The next raw draw, uniform over all 32-bit values.</summary>
    public uint NextUInt32() => twister.Next();

    /// <summary>Two raw draws as one, the first in the upper half.</summary>
    public ulong NextUInt64()
    {
        ulong upper = twister.Next();
        return (upper << 32) | twister.Next();
    }

    /// <summary>Standard normal values: <c>torch.randn(n, generator=…)</c> in float32.</summary>
    public void Fill(Span<float> values)
    {
        if (values.Length < Block)
        {
            foreach (ref float value in values) value = (float)NextNormal();
            return;
        }

        FillUniform(values);
        for (int i = 0; i + Block <= values.Length; i += Block) ToNormal(values.Slice(i, Block));
        if (values.Length % Block == 0) return;
        var tail = values[^Block..]; // overlaps the last whole block and draws its values again
        FillUniform(tail);
        ToNormal(tail);
    }

    /// <summary>Standard normal values: randn in float64.</summary>
    public void Fill(Span<double> values)
    {
        if (values.Length < Block)
        {
            foreach (ref double value in values) value = NextNormal();
            return;
        }

        FillUniform(values);
        for (int i = 0; i + Block <= values.Length; i += Block) ToNormal(values.Slice(i, Block));
        if (values.Length % Block == 0) return;
        var tail = values[^Block..];
        FillUniform(tail);
        ToNormal(tail);
    }

    /// <summary>
    /// Standard normal values as <c>torch.randn(n, dtype=torch.bfloat16, generator=…)</c> draws them: a different stream from float32's,
    /// with 8 bits per uniform value and every step rounded to bfloat16. Each element is the upper half of a float's bits.
    /// </summary>
    public void FillBFloat16(Span<ushort> values)
    {
        if (values.Length < Block)
        {
            foreach (ref ushort value in values) value = BFloat16Bits.Round((float)NextNormal());
            return;
        }

        FillUniformBFloat16(values);
        for (int i = 0; i + Block <= values.Length; i += Block) ToNormal(values.Slice(i, Block));
        if (values.Length % Block == 0) return;
        var tail = values[^Block..];
        FillUniformBFloat16(tail);
        ToNormal(tail);
    }

    /// <summary>Uniform values in [0, 1): <c>torch.rand(n, generator=…)</c> in float32, 24 bits each.</summary>
    public void FillUniform(Span<float> values)
    {
        foreach (ref float value in values) value = (twister.Next() & 0xFFFFFF) * (1f / (1 << 24));
    }

    /// <summary>Uniform values in [0, 1): rand in float64, 53 bits each.</summary>
    public void FillUniform(Span<double> values)
    {
        foreach (ref double value in values) value = NextUniform();
    }

    private double NextUniform() => (NextUInt64() & ((1UL << 53) - 1)) * (1.0 / (1UL << 53));

    // For tensors of fewer than 16 values: two normals from two uniforms; the second is kept for the next call of any fill.
    private double NextNormal()
    {
        if (hasSpare)
        {
            hasSpare = false;
            return spare;
        }

        double theta = 2 * Math.PI * NextUniform();
        double radius = Math.Sqrt(-2 * LogOnePlus(-NextUniform()));
        (spare, hasSpare) = (radius * Math.Sin(theta), true);
        return radius * Math.Cos(theta);
    }

    // log1p, which .NET lacks: the rounding of 1 + x is undone to first order (Kahan). Within 1 ulp or so of the C library's.
    private static double LogOnePlus(double x)
    {
        double sum = 1 + x;
        return sum == 1 ? x : Math.Log(sum) * (x / (sum - 1));
    }

    // Box and Muller on a block: value i of the first half is the radius' uniform, value i of the second half the angle's.
    private static void ToNormal(Span<float> block)
    {
        for (int i = 0; i < Half; i++)
        {
            float radius = MathF.Sqrt(-2 * MathF.Log(1 - block[i]));
            float theta = (float)(2 * Math.PI * block[i + Half]);
            block[i] = radius * MathF.Cos(theta);
            block[i + Half] = radius * MathF.Sin(theta);
        }
    }

    private static void ToNormal(Span<double> block)
    {
        for (int i = 0; i < Half; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - block[i]));
            double theta = 2 * Math.PI * block[i + Half];
            block[i] = radius * Math.Cos(theta);
            block[i + Half] = radius * Math.Sin(theta);
        }
    }

    private void FillUniformBFloat16(Span<ushort> values)
    {
        foreach (ref ushort value in values) value = BFloat16Bits.Round((twister.Next() & 0xFF) * (1f / 256));
    }

    private static void ToNormal(Span<ushort> block)
    {
        for (int i = 0; i < Half; i++)
        {
            float u1 = 1 - BFloat16Bits.Widen(block[i]), u2 = BFloat16Bits.Widen(block[i + Half]);
            float radius = Round(MathF.Sqrt(Round(-2 * Round(MathF.Log(u1)))));
            float theta = Round((float)(2 * Math.PI * u2));
            block[i] = BFloat16Bits.Round(radius * Round(MathF.Cos(theta)));
            block[i + Half] = BFloat16Bits.Round(radius * Round(MathF.Sin(theta)));
        }
    }

    private static float Round(float value) => BFloat16Bits.Widen(BFloat16Bits.Round(value));
}
