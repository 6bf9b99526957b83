using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Ranges of each dimension.</summary>
public sealed class SliceCases : IOpCases
{
    private const double Exact = 0;

    public Type Op => typeof(Slice);

    public IEnumerable<OpCase> Cases =>
    [
        new("vector", new Slice(0, 1, 2), [CaseTensor.Of([4], 1, 2, 3, 4)], Exact),
        new("channels", new Slice(-1, 5, 20), [CaseTensor.Normal([2, 3, 4, 33], 1)], Exact),
        new("batch", new Slice(0, 1, 1), [CaseTensor.Normal([2, 3, 4, 5], 2)], Exact),
        new("tokens", new Slice(1, 2, 3), [CaseTensor.Normal([2, 6, 7], 3)], Exact),
        new("image columns", new Slice(-2, 1, 2), [CaseTensor.Normal([2, 3, 4, 5], 4)], Exact),
        new("column view", new Slice(-1, 2, 9), [CaseTensor.Normal([3, 16], 5, padding: 4)], Exact),
        new("bytes", new Slice(1, 1, 3), [new([2, 5, 3], i => i - 15, DType.Int8)], Exact),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var slice = (Slice)op;
        var x = inputs[0];
        int axis = slice.Axis < 0 ? slice.Axis + output.Rank : slice.Axis, inner = 1;
        for (int d = axis + 1; d < output.Rank; d++) inner *= output[d];
        return [.. Enumerable.Range(0, x.Values.Length)
            .Where(i => i / inner % x.Shape[axis] - slice.Start is >= 0 and var at && at < slice.Length).Select(i => x.Values[i])];
    }
}
