using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>The first layers of feed-forward networks, and more rows than one block has.</summary>
public sealed class GatedMatMulCases : IOpCases
{
    // each half errs as MatMul does, 4e-6, and is multiplied by the other, which is up to 3 times as large as the result's rms
    private const double Float32Sums = 1.2e-5;

    public Type Op => typeof(GatedMatMul);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one by one", [1, 1], 1),
        Case("one row, odd sizes", [1, 37], 19),
        Case("odd sizes", [2, 13, 29], 31),
        Case("one over a block of rows", [1153, 9], 6),
        Case("several blocks of an image", [2, 37, 33, 8], 21),
        Case("several blocks of the inner size", [31, 1290], 40),
        Case("SDXL, part", [2, 64, 640], 96),
        Case("bfloat16 weights, no bias", [30, 100], 48, DType.BFloat16, bias: false),
        Case("column view", [5, 31, 40], 35, padding: 7),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        int[] wide = output.Sizes.ToArray();
        wide[^1] *= 2;
        var projected = new ReferenceTensor(Shape.Create(wide), new MatMulCases().Reference(new MatMul(), inputs, Shape.Create(wide)));
        return new GeGluCases().Reference(new GeGlu(), [projected], output);
    }

    private static OpCase Case(string name, Shape x, int width, DType weights = DType.Float32, bool bias = true, int padding = 0)
    {
        CaseTensor w = CaseTensor.Normal([2 * width, x.Last], 2, 1 / Math.Sqrt(x.Last), weights);
        CaseTensor[] inputs = [CaseTensor.Normal(x, 1, padding: padding), w];
        return new(name, new GatedMatMul(), bias ? [.. inputs, CaseTensor.Normal([2 * width], 3, dtype: weights)] : inputs, Float32Sums);
    }
}
