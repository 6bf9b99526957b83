using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>The end-of-text token of each prompt.</summary>
public sealed class SelectTokenCases : IOpCases
{
    private const double Exact = 0;

    public Type Op => typeof(SelectToken);

    public IEnumerable<OpCase> Cases =>
    [
        new("one token", new SelectToken(), [CaseTensor.Normal([1, 1, 3], 1), new([1], _ => 0, DType.Int32)], Exact),
        new("first and last", new SelectToken(), [CaseTensor.Normal([3, 77, 19], 2), new([3], i => i * 38, DType.Int32)], Exact),
        new("column view", new SelectToken(), [CaseTensor.Normal([2, 5, 16], 3, padding: 4), new([2], i => 4 - i, DType.Int32)], Exact),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output) =>
        [.. Enumerable.Range(0, output[0]).SelectMany(n => inputs[0].Row(n * inputs[0].Shape[1] + (int)inputs[1].Values[n]).ToArray())];
}
