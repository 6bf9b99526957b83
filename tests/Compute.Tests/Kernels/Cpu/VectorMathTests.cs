using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// The error bounds of VectorMath, over the whole range of float32 and at every register width (wider ones are emulated where the
/// processor lacks them).
/// </summary>
public sealed unsafe class VectorMathTests
{
    /// <summary>|f(x) − reference| ≤ Absolute + Relative · |reference|.</summary>
    private sealed record Bound(Func<double, double> Reference, double Relative, double Absolute);

    private static readonly Dictionary<string, Bound> Bounds = new()
    {
        ["Exp"] = new(Math.Exp, 2e-7, 1.7e-38),
        ["Sigmoid"] = new(x => 1 / (1 + Math.Exp(-x)), 4e-7, 1e-38),
        ["Silu"] = new(x => x / (1 + Math.Exp(-x)), 4e-7, 1e-36),
        ["QuickGelu"] = new(x => x / (1 + Math.Exp(-1.702 * x)), 4e-7, 4e-7),
        ["Gelu"] = new(SpecialFunctions.Gelu, 1.2e-7, 5e-8),
        ["GeluTanh"] = new(x => x / (1 + Math.Exp(-2 * Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))), 2e-7, 4e-7),
        ["Tanh"] = new(Math.Tanh, 4e-7, 0),
        ["Softplus"] = new(x => Math.Max(x, 0) + LogOnePlus(Math.Exp(-Math.Abs(x))), 1e-6, 1.7e-38),
        ["Mish"] = new(x => x * Math.Tanh(Math.Max(x, 0) + LogOnePlus(Math.Exp(-Math.Abs(x)))), 1e-6, 2e-36),
    };

    public static TheoryData<string> Names => [.. Bounds.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Function_OverItsRange_StaysWithinItsErrorAtEveryWidth(string name)
    {
        float[] x = Arguments();
        Verify(name, x, Apply<Simd128>(name, x));
        Verify(name, x, Apply<Simd256>(name, x));
        Verify(name, x, Apply<Simd512>(name, x));
    }

    [Theory, MemberData(nameof(Names))]
    public void Function_OfNaN_IsNaN(string name)
    {
        Assert.All(Apply<Simd128>(name, [float.NaN]), y => Assert.True(float.IsNaN(y)));
        Assert.All(Apply<Simd256>(name, [float.NaN]), y => Assert.True(float.IsNaN(y)));
        Assert.All(Apply<Simd512>(name, [float.NaN]), y => Assert.True(float.IsNaN(y)));
    }

    [Theory]
    [InlineData("Exp", 0, float.PositiveInfinity)]
    [InlineData("Sigmoid", 0, 1)]
    [InlineData("Gelu", 0, float.PositiveInfinity)]
    [InlineData("Tanh", -1, 1)]
    [InlineData("Softplus", 0, float.PositiveInfinity)]
    public void Function_OfInfinity_IsItsLimit(string name, float below, float above) =>
        Assert.Equal([below, above], Apply<Simd256>(name, [float.NegativeInfinity, float.PositiveInfinity]));

    [Fact]
    public void Sum_OfLanes_CountsEachOnce()
    {
        float[] powers = [.. Enumerable.Range(0, 16).Select(i => (float)(1 << i))];
        fixed (float* p = powers)
        {
            Assert.Equal(15, Simd128.Sum(Simd128.Load(p)));
            Assert.Equal(255, Simd256.Sum(Simd256.Load(p)));
            Assert.Equal(65535, Simd512.Sum(Simd512.Load(p)));
            Assert.Equal((8, 128, 32768), (Simd128.Max(Simd128.Load(p)), Simd256.Max(Simd256.Load(p)), Simd512.Max(Simd512.Load(p))));
        }
    }

    private static void Verify(string name, float[] x, float[] y)
    {
        var bound = Bounds[name];
        for (int i = 0; i < x.Length; i++)
        {
            double expected = bound.Reference(x[i]);
            if ((float)expected == y[i]) continue;
            double allowed = bound.Absolute + bound.Relative * Math.Abs(expected);
            if (!(Math.Abs(y[i] - expected) <= allowed))
                Assert.Fail($"{name}({x[i]:R}) is {y[i]:R}; {expected:R} is right, {allowed:G3} is allowed.");
        }
    }

    private static float[] Arguments()
    {
        var x = new List<float> { 0, -0f, 88.722f, -87.33f, 89, 1e30f, -1e30f };
        for (int i = -100_000; i <= 100_000; i++) x.Add(i * 1e-3f * 1.0001f);
        for (float magnitude = 1e-30f; magnitude < 1e4f; magnitude *= 1.003f) x.AddRange([magnitude, -magnitude]);
        return [.. x];
    }

    private static float[] Apply<V>(string name, float[] x) where V : struct, ISimd<V>
    {
        float[] padded = [.. x, .. new float[16]], y = new float[padded.Length];
        fixed (float* source = padded, target = y)
        {
            for (int i = 0; i < x.Length; i += V.Count) V.Store(Function(name, V.Load(source + i)), target + i);
        }

        return y[..x.Length];
    }

    private static V Function<V>(string name, V x) where V : struct, ISimd<V> => name switch
    {
        "Exp" => VectorMath.Exp(x),
        "Sigmoid" => VectorMath.Sigmoid(x),
        "Silu" => VectorMath.Silu(x),
        "QuickGelu" => VectorMath.QuickGelu(x),
        "Gelu" => VectorMath.Gelu(x),
        "GeluTanh" => VectorMath.GeluTanh(x),
        "Tanh" => VectorMath.Tanh(x),
        "Softplus" => VectorMath.Softplus(x),
        _ => VectorMath.Mish(x),
    };

    private static double LogOnePlus(double e) => e < 1e-5 ? e - e * e / 2 : Math.Log(1 + e);
}
