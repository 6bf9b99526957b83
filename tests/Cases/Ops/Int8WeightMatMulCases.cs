using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Linear layers with int8 weights.</summary>
public sealed class Int8WeightMatMulCases : IOpCases
{
    private const double Sums = 4e-6; // as MatMul

    public Type Op => typeof(Int8WeightMatMul);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one by one", [1, 1, 1], 1),
        Case("depth 3", [1, 20, 3], 5),
        Case("odd sizes", [2, 40, 33], 31),
        Case("one row", [1, 1280], 70),
        Case("one row per entry, odd depth", [2, 1, 131], 7),
        Case("one over a tile", [1, 13, 64], 33),
        Case("more than a block of columns", [1, 9, 16], 1030),
        Case("SDXL attention out, part", [1, 64, 640], 160),
        Case("no bias", [1, 11, 40], 20, bias: false),
        new("extremes of int8", new Int8WeightMatMul(),
            [new([1, 16, 512], i => i % 3 - 1), new([3, 512], i => i / 512 == 1 ? -127 : 127, DType.Int8),
                CaseTensor.Of([3], 1, 1e-6, 1e3)], Sums),
        new("column view", new Int8WeightMatMul(),
            [CaseTensor.Normal([2, 9, 50], 1, padding: 14), Weights([21, 50]), Scales(21), CaseTensor.Normal([21], 3)], Sums),
        .. EpilogueReference.All.Select(e => new OpCase(e.Name, new Int8WeightMatMul(e.Epilogue),
            [CaseTensor.Normal([2, 9, 50], 1), Weights([37, 50]), Scales(37), CaseTensor.Normal([37], 3),
                .. EpilogueReference.Arguments(e.Epilogue, [2, 9, 37])], Sums)),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var epilogue = ((Int8WeightMatMul)op).Epilogue;
        bool biased = inputs.Length - epilogue.Arguments > 3;
        var (x, w, scale) = (inputs[0], inputs[1], inputs[2]);
        double[] y = new double[output.Count];
        for (int row = 0; row < x.Rows; row++)
            for (int n = 0; n < w.Rows; n++)
            {
                double sum = 0;
                for (int k = 0; k < w.Width; k++) sum += x.Row(row)[k] * w.Row(n)[k];
                y[row * w.Rows + n] = sum * scale.Values[n] + (biased ? inputs[3].Values[n] : 0);
            }

        return EpilogueReference.Apply(epilogue, y, inputs, output);
    }

    private static CaseTensor Weights(Shape shape) => new(shape, i => (i * 7919 + i / 3) % 255 - 127, DType.Int8);

    private static CaseTensor Scales(int columns) => new([columns], i => 0.001 * (1 + i % 5));

    private static OpCase Case(string name, Shape x, int columns, bool bias = true)
    {
        CaseTensor[] inputs = [CaseTensor.Normal(x, 1), Weights([columns, x.Last]), Scales(columns)];
        return new(name, new Int8WeightMatMul(), bias ? [.. inputs, CaseTensor.Normal([columns], 3)] : inputs, Sums);
    }
}
