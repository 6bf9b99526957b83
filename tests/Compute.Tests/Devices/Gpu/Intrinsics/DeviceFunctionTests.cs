using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The error bounds of DeviceFunctions, over the whole range of float32.</summary>
public sealed class DeviceFunctionTests
{
    /// <summary>|f(x) − reference| ≤ Absolute + Relative · |reference| for |x| ≤ Range.</summary>
    private sealed record Bound(Func<float, float> Function, Func<double, double> Reference, double Relative, double Absolute,
        double Range = double.MaxValue);

    private static readonly Dictionary<string, Bound> Bounds = new()
    {
        ["Exp"] = new(DeviceFunctions.Exp, Math.Exp, 2e-7, 1.7e-38),
        ["Sigmoid"] = new(DeviceFunctions.Sigmoid, x => 1 / (1 + Math.Exp(-x)), 4e-7, 1e-37),
        ["Silu"] = new(DeviceFunctions.Silu, x => x / (1 + Math.Exp(-x)), 4e-7, 1e-35),
        ["QuickGelu"] = new(DeviceFunctions.QuickGelu, x => x / (1 + Math.Exp(-1.702 * x)), 4e-7, 4e-7),
        ["Gelu"] = new(DeviceFunctions.Gelu, SpecialFunctions.Gelu, 2e-7, 5e-8),
        ["GeluTanh"] = new(DeviceFunctions.GeluTanh, x => x / (1 + Math.Exp(-2 * Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
            4e-7, 4e-7),
        ["Tanh"] = new(DeviceFunctions.Tanh, Math.Tanh, 4e-7, 0),
        ["Sin"] = new(DeviceFunctions.Sin, Math.Sin, 0, 1.5e-7, 1e4),
        ["Cos"] = new(DeviceFunctions.Cos, Math.Cos, 0, 1.5e-7, 1e4),
    };

    public static TheoryData<string> Names => [.. Bounds.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Function_OverItsRange_StaysWithinItsError(string name)
    {
        var bound = Bounds[name];
        foreach (float x in Arguments().Where(x => Math.Abs(x) <= bound.Range))
        {
            float y = bound.Function(x);
            double expected = bound.Reference(x), allowed = bound.Absolute + bound.Relative * Math.Abs(expected);
            if ((float)expected != y && !(Math.Abs(y - expected) <= allowed))
                Assert.Fail($"{name}({x:R}) is {y:R}; {expected:R} is right, {allowed:G3} is allowed.");
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Function_OfNaN_IsNaN(string name) => Assert.True(float.IsNaN(Bounds[name].Function(float.NaN)));

    [Theory]
    [InlineData("Exp", 0, float.PositiveInfinity), InlineData("Sigmoid", 0, 1), InlineData("Gelu", 0, float.PositiveInfinity)]
    [InlineData("Tanh", -1, 1)]
    public void Function_OfInfinity_IsItsLimit(string name, float below, float above)
    {
        Assert.Equal(below, Bounds[name].Function(float.NegativeInfinity));
        Assert.Equal(above, Bounds[name].Function(float.PositiveInfinity));
    }

    [Fact]
    public void Elements_EveryBitPattern_IsKeptAndRoundingIsToNearestEven()
    {
        for (int i = 0; i <= ushort.MaxValue; i++)
        {
            ushort bits = (ushort)i;
            float half = Fp16.Widen(bits), brain = Bf16.Widen(bits);
            Assert.Equal((float)BitConverter.UInt16BitsToHalf(bits), half);
            Assert.Equal(BFloat16Bits.Widen(bits), brain);
            if (!float.IsNaN(half)) Assert.Equal(bits, Fp16.Narrow(half));
            if (!float.IsNaN(brain)) Assert.Equal(bits, Bf16.Narrow(brain));
        }

        foreach (float x in Arguments().Append(float.NaN))
        {
            Assert.Equal(BFloat16Bits.Round(x), Bf16.Narrow(x));
            Assert.Equal(BitConverter.HalfToUInt16Bits((Half)x), Fp16.Narrow(x));
        }
    }

    private static IEnumerable<float> Arguments()
    {
        foreach (float x in new[] { 0, -0f, 88.722f, -87.33f, 89, 1e30f, -1e30f }) yield return x;
        for (int i = -100_000; i <= 100_000; i++) yield return i * 1e-3f * 1.0001f;
        for (float magnitude = 1e-30f; magnitude < 1e4f; magnitude *= 1.003f)
        {
            yield return magnitude;
            yield return -magnitude;
        }
    }
}
