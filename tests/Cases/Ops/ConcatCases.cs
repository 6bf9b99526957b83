using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Concatenation along each dimension.</summary>
public sealed class ConcatCases : IOpCases
{
    private const double Exact = 0;

    public Type Op => typeof(Concat);

    public IEnumerable<OpCase> Cases =>
    [
        new("vectors", new Concat(0), [CaseTensor.Of([2], 1, 2), CaseTensor.Of([1], 3)], Exact),
        new("one argument", new Concat(-1), [CaseTensor.Normal([2, 3], 1)], Exact),
        new("skip connection", new Concat(-1),
            [CaseTensor.Normal([2, 4, 5, 33], 1), CaseTensor.Normal([2, 4, 5, 7], 2), CaseTensor.Normal([2, 4, 5, 20], 3)], Exact),
        new("batch", new Concat(0), [CaseTensor.Normal([1, 4, 5], 1), CaseTensor.Normal([2, 4, 5], 2)], Exact),
        new("tokens", new Concat(1), [CaseTensor.Normal([2, 3, 5], 1), CaseTensor.Normal([2, 4, 5], 2)], Exact),
        new("image rows, counted from the end", new Concat(-3), [CaseTensor.Normal([2, 3, 5, 4], 1), CaseTensor.Normal([2, 1, 5, 4], 2)],
            Exact),
        new("column views", new Concat(-1), [CaseTensor.Normal([3, 6], 1, padding: 2), CaseTensor.Normal([3, 5], 2, padding: 9)], Exact),
        new("float16", new Concat(-1),
            [CaseTensor.Normal([3, 6], 1, dtype: DType.Float16), CaseTensor.Normal([3, 5], 2, dtype: DType.Float16)], Exact),
        new("numbers", new Concat(-1), [new([2, 3], i => i, DType.Int64), new([2, 1], i => -i, DType.Int64)], Exact),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        int axis = ((Concat)op).Axis < 0 ? ((Concat)op).Axis + output.Rank : ((Concat)op).Axis, outer = 1;
        for (int d = 0; d < axis; d++) outer *= output[d];
        return [.. Enumerable.Range(0, outer)
            .SelectMany(o => inputs.SelectMany(x => x.Values.AsSpan(o * (x.Values.Length / outer), x.Values.Length / outer).ToArray()))];
    }
}
