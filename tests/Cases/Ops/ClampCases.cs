using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Limits; results are exact.</summary>
public sealed class ClampCases : IOpCases
{
    private const double Exact = 0;

    public Type Op => typeof(Clamp);

    public IEnumerable<OpCase> Cases =>
    [
        new("one element", new Clamp(0, 1), [CaseTensor.Of([1], 1.5)], Exact),
        new("pixels", new Clamp(-1, 1), [CaseTensor.Normal([2, 5, 7, 3], 1)], Exact),
        new("column view", new Clamp(-0.5, 0.25), [CaseTensor.Normal([3, 19], 3, padding: 2)], Exact),
        new("infinities and no number", new Clamp(-2, 4),
            [CaseTensor.Of([3], double.PositiveInfinity, double.NegativeInfinity, double.NaN)], Exact),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output) =>
        [.. inputs[0].Values.Select(x => double.IsNaN(x) ? x : Math.Min(Math.Max(x, ((Clamp)op).Low), ((Clamp)op).High))];
}
