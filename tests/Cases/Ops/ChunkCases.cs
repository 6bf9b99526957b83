using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Equal parts of each dimension.</summary>
public sealed class ChunkCases : IOpCases
{
    private const double Exact = 0;

    public Type Op => typeof(Chunk);

    public IEnumerable<OpCase> Cases =>
    [
        new("whole vector", new Chunk(0, 0, 1), [CaseTensor.Of([3], 1, 2, 3)], Exact),
        new("unguided half of a batch", new Chunk(0, 1, 2), [CaseTensor.Normal([2, 5, 3, 4], 1)], Exact),
        new("third part of the channels", new Chunk(-1, 2, 3), [CaseTensor.Normal([2, 4, 57], 2)], Exact),
        new("tokens", new Chunk(1, 1, 3), [CaseTensor.Normal([2, 6, 7], 3)], Exact),
        new("column view", new Chunk(-1, 1, 2), [CaseTensor.Normal([3, 18], 4, padding: 4)], Exact),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var chunk = (Chunk)op;
        int axis = chunk.Axis < 0 ? chunk.Axis + output.Rank : chunk.Axis, inner = 1;
        for (int d = axis + 1; d < output.Rank; d++) inner *= output[d];
        var x = inputs[0];
        return [.. Enumerable.Range(0, x.Values.Length).Where(i => i / inner % x.Shape[axis] / output[axis] == chunk.Index)
            .Select(i => x.Values[i])];
    }
}
