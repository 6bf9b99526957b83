using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Steps of samplers with one to five terms.</summary>
public sealed class LinearCombinationCases : IOpCases
{
    private const double Float32Sums = 1e-6; // five products and sums, 2^-24 each

    public Type Op => typeof(LinearCombination);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one element", [1], 1),
        Case("Euler step", [1, 16, 16, 4], 2),
        Case("odd width", [3, 67], 3),
        Case("five terms, several runs", [9001], 5),
        Case("column views", [2, 5, 19], 3, padding: 4),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output) =>
        [.. Enumerable.Range(0, (int)output.Count).Select(i => inputs[..^1].Select((x, n) => x.Values[i] * inputs[^1].Values[n]).Sum())];

    private static OpCase Case(string name, Shape shape, int count, int padding = 0) =>
        new(name, new LinearCombination(),
            [.. Enumerable.Range(0, count).Select(i => CaseTensor.Normal(shape, i, padding: padding)), CaseTensor.Normal([count], 9)],
                Float32Sums);
}
