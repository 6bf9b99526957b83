using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Linear layers in dynamic int8.</summary>
public sealed class QuantizedMatMulCases : IOpCases
{
    private const double Epilogues = 2e-6; // activations err by up to 1e-6
    private const double ThreeRoundings = 3e-7; // the integer sum is exact; float32 rounds it, two products and a sum

    public Type Op => typeof(QuantizedMatMul);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one by one", 1, 1, 1),
        Case("depth 3", 2, 3, 5),
        Case("odd sizes", 23, 33, 31),
        Case("two rows", 2, 1280, 70),
        Case("one over a tile", 13, 64, 33),
        Case("more than a block of rows", 100, 5120, 16),
        Case("more than a block of columns", 7, 16, 1030),
        Case("SDXL attention out, part", 64, 640, 160),
        Case("no bias", 5, 40, 20, bias: false),
        new("largest integers", new QuantizedMatMul(),
            [new([2, 4096], _ => 1), new([3, 4096], i => i / 4096 == 1 ? -127 : 127, DType.Int8), CaseTensor.Of([3], 1, 1, 1)],
                ThreeRoundings),
        new("column view", new QuantizedMatMul(),
            [CaseTensor.Normal([2, 9, 50], 1, padding: 14), Weights([21, 50]), Scales(21), CaseTensor.Normal([21], 3)], ThreeRoundings),
        .. EpilogueReference.All.Select(e => new OpCase(e.Name, new QuantizedMatMul(e.Epilogue),
            [CaseTensor.Normal([2, 9, 50], 1), Weights([37, 50]), Scales(37), CaseTensor.Normal([37], 3),
                .. EpilogueReference.Arguments(e.Epilogue, [2, 9, 37])], Epilogues)),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var epilogue = ((QuantizedMatMul)op).Epilogue;
        bool biased = inputs.Length - epilogue.Arguments > 3;
        var (x, w, scale) = (inputs[0], inputs[1], inputs[2]);
        double[] y = new double[output.Count], q = new QuantizeCases().Reference(op, [x], x.Shape);
        for (int row = 0; row < x.Rows; row++)
        {
            float rowScale = QuantizeCases.Scale(x.Row(row));
            for (int n = 0; n < w.Rows; n++)
            {
                long sum = 0;
                for (int k = 0; k < w.Width; k++) sum += (long)q[row * w.Width + k] * (long)w.Values[n * w.Width + k];
                y[row * w.Rows + n] = sum * (double)rowScale * scale.Values[n] + (biased ? inputs[3].Values[n] : 0);
            }
        }

        return EpilogueReference.Apply(epilogue, y, inputs, output);
    }

    private static CaseTensor Weights(Shape shape) => new(shape, i => (i * 7919 + i / 3) % 255 - 127, DType.Int8);

    private static CaseTensor Scales(int columns) => new([columns], i => 0.001 * (1 + i % 5));

    private static OpCase Case(string name, int rows, int depth, int columns, bool bias = true)
    {
        CaseTensor x = CaseTensor.Normal([rows, depth], 1), w = Weights([columns, depth]), scale = Scales(columns);
        return new(name, new QuantizedMatMul(), bias ? [x, w, scale, CaseTensor.Normal([columns], 3)] : [x, w, scale], ThreeRoundings);
    }
}
