using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Every pair of float types; the result must be the nearest number, ties to even.</summary>
public sealed class CastCases : IOpCases
{
    private const double Exact = 0; // the reference rounds as IEEE 754 says
    private static readonly DType[] Floats = [DType.Float32, DType.Float16, DType.BFloat16];

    public Type Op => typeof(Cast);

    public IEnumerable<OpCase> Cases =>
    [
        .. from source in Floats from target in Floats select new OpCase($"{source} to {target}", new Cast(target),
            [CaseTensor.Normal([3, 67], 1, 3, source)], Exact),
        .. from source in Floats from target in Floats select new OpCase($"{source} to {target}, column view", new Cast(target),
            [CaseTensor.Normal([3, 18], 2, 3, source, 5)], Exact),
        .. from target in Floats select new OpCase($"special numbers to {target}", new Cast(target), [CaseTensor.Of([1, 20], [.. Special])],
            Exact),
        new("several runs", new Cast(DType.Float16), [CaseTensor.Normal([9001], 3, dtype: DType.BFloat16)], Exact),
    ];

    // Ties of float16 (2049, 2051) and bfloat16 (257, 259), largest and overflowing ones, subnormal halves, the signs of zero.
    private static IEnumerable<double> Special =>
    [
        0, -0.0, 1, 2049, 2051, 257, 259, 65504, 65519, 65520, 1e6, 6e-8, 2.98e-8, -3e-5, 6.1e-5, 3.4e38, -1e-40,
        double.PositiveInfinity, double.NegativeInfinity, double.NaN,
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output) => [.. inputs[0].Values.Select(x => ((Cast)op).To switch
    {
        DType.Float16 => (double)(Half)x,
        DType.BFloat16 => ToBFloat16(x),
        _ => (float)x,
    })];

    /// <summary>The nearest number with 8 significant bits; the exponent's range is float32's.</summary>
    private static double ToBFloat16(double x)
    {
        if (!double.IsFinite(x) || x == 0) return x;
        double unit = Math.Pow(2, Math.Max(Math.ILogB(x), -126) - 7), rounded = Math.Round(x / unit, MidpointRounding.ToEven) * unit;
        return Math.Abs(rounded) > 3.3895313892515355e38 ? rounded * double.PositiveInfinity : rounded;
    }
}
