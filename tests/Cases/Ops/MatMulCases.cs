using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Linear layers of SDXL, and sizes around the tiles and blocks of the kernels.</summary>
public sealed class MatMulCases : IOpCases
{
    private const double Float32Sums = 4e-6; // random sums of up to 5120 products of rms 1: 2^-24 · √5120 = 4e-6 of the rms of all

    public Type Op => typeof(MatMul);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one by one", 1, 1, 1),
        Case("one row, odd sizes", 1, 37, 19),
        Case("two rows, time embedding", 2, 1280, 320),
        Case("three rows, one over a vector", 3, 65, 33),
        Case("eight rows", 8, 131, 70),
        Case("nine rows", 9, 40, 64),
        Case("odd sizes", 23, 29, 31),
        Case("one over a tile", 25, 16, 33),
        Case("one over a block of rows", 289, 24, 17),
        Case("one over a block of columns", 13, 24, 1025),
        Case("one over a block of depth", 14, 385, 40),
        Case("several blocks of depth, narrow result", 50, 1200, 4),
        Case("many columns", 77, 96, 640),
        Case("SDXL text keys", 77, 2048, 128),
        Case("SDXL attention out, part", 256, 640, 160),
        Case("no bias", 30, 64, 48, bias: false),
        Case("bfloat16 weights", 30, 100, 48, DType.BFloat16),
        Case("float16 weights", 30, 100, 48, DType.Float16),
        Case("bfloat16 weights, two rows", 2, 203, 45, DType.BFloat16),
        Case("float16 weights, two rows", 2, 203, 45, DType.Float16),
        new("float16 subnormal, largest and zero", new MatMul(),
            [CaseTensor.Of([9, 1], 1, 2, 3, 4, 5, 6, 7, 8, 9),
                new([11, 1], i => i switch { 0 => 6e-8, 1 => -3e-5, 2 => 65504, 3 => 0, 4 => 6.1e-5, _ => -0.5 * i }, DType.Float16)],
                    1e-7),
        new("column views", new MatMul(),
            [CaseTensor.Normal([2, 3, 40], 5, padding: 24), CaseTensor.Normal([33, 40], 6), CaseTensor.Normal([33], 7)], Float32Sums),
        new("column views, many rows", new MatMul(),
            [CaseTensor.Normal([5, 31, 40], 5, padding: 7), CaseTensor.Normal([70, 40], 6), CaseTensor.Normal([70], 7)], Float32Sums),
        new("weight of a 1×1 convolution", new MatMul(),
            [CaseTensor.Normal([2, 3, 40], 5), CaseTensor.Normal([33, 40, 1, 1], 6), CaseTensor.Normal([33], 7)], Float32Sums),
        new("weight of a 1×1 convolution, many rows", new MatMul(), [CaseTensor.Normal([50, 40], 5), CaseTensor.Normal([33, 40, 1, 1], 6)],
            Float32Sums),
        .. EpilogueReference.All.SelectMany(e =>
            new[] { Case($"{e.Name} after few rows", [2, 3, 45], 37, e.Epilogue),
                Case($"{e.Name} after many rows", [3, 11, 700], 37, e.Epilogue) }),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var (x, w) = (inputs[0], inputs[1]);
        var epilogue = ((MatMul)op).Epilogue;
        int columns = output.Last;
        double[] y = new double[output.Count];
        for (int row = 0; row < x.Rows; row++)
        {
            for (int n = 0; n < columns; n++)
            {
                double sum = inputs.Length - epilogue.Arguments > 2 ? inputs[2].Values[n] : 0;
                ReadOnlySpan<double> a = x.Row(row), b = w.Values.AsSpan(n * x.Width, x.Width);
                for (int k = 0; k < a.Length; k++) sum += a[k] * b[k];
                y[(long)row * columns + n] = sum;
            }
        }

        return EpilogueReference.Apply(epilogue, y, inputs, output);
    }

    private static OpCase Case(string name, Shape x, int columns, Epilogue epilogue)
    {
        int[] output = x.Sizes.ToArray();
        output[^1] = columns;
        CaseTensor w = CaseTensor.Normal([columns, x.Last], 2, 1 / Math.Sqrt(x.Last)), bias = CaseTensor.Normal([columns], 3);
        return new(name, new MatMul(epilogue),
            [CaseTensor.Normal(x, 1), w, bias, .. EpilogueReference.Arguments(epilogue, Shape.Create(output))], Float32Sums);
    }

    private static OpCase Case(string name, int rows, int depth, int columns, DType weights = DType.Float32, bool bias = true)
    {
        CaseTensor x = CaseTensor.Normal([rows, depth], 1), w = CaseTensor.Normal([columns, depth], 2, 1 / Math.Sqrt(depth), weights);
        return new(name, new MatMul(), bias ? [x, w, CaseTensor.Normal([columns], 3, dtype: weights)] : [x, w], Float32Sums);
    }
}
