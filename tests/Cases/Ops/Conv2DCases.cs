using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Small convolutions as in SDXL's UNet and VAE, and edge cases.</summary>
public sealed class Conv2DCases : IOpCases
{
    private const double Float32Sums = 4e-6; // random sums of up to 2880 products of rms 1: 2^-24 · √2880 = 3.2e-6 of the rms of all

    public Type Op => typeof(Conv2D);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one pixel, padded", new(1, 1, 1), [1, 1, 1, 1], 1, 3),
        Case("one pixel, unpadded", new(), [1, 3, 3, 5], 2, 3),
        Case("pointwise", new(), [2, 5, 3, 24], 17, 1),
        Case("pointwise, stride 2", new(2), [1, 5, 4, 10], 9, 1),
        Case("latents in", new(1, 1, 1), [2, 9, 7, 4], 40, 3),
        Case("colours in", new(1, 1, 1), [1, 8, 8, 3], 33, 3),
        Case("latents out", new(1, 1, 1), [1, 8, 6, 40], 4, 3),
        Case("latents out, several bands", new(1, 1, 1), [2, 41, 7, 37], 4, 3, padding: 3),
        Case("colours out, bfloat16 weights", new(1, 1, 1), [1, 19, 23, 64], 3, 3, DType.BFloat16),
        Case("few outputs, 4 by 4, padded far before only", new(1, 4, 0), [1, 5, 6, 9], 1, 4),
        Case("few outputs, unpadded, no bias", new(), [1, 9, 6, 24], 8, 3, bias: false),
        Case("odd sizes", new(1, 1, 1), [2, 7, 5, 13], 19, 3),
        Case("stride 2, both sides padded", new(2, 1, 1), [1, 9, 8, 16], 24, 3),
        Case("stride 2, padded after only", new(2, 0, 1), [1, 8, 9, 8], 8, 3),
        Case("stride 3, padded before only", new(3, 2, 0), [1, 11, 7, 5], 6, 3),
        Case("5 by 5", new(2, 2, 2), [1, 13, 17, 8], 12, 5),
        Case("padding wider than the image", new(1, 3, 3), [1, 2, 2, 6], 5, 3),
        Case("several images, several blocks", new(1, 1, 1), [3, 11, 9, 70], 30, 3),
        Case("SDXL, part of 16 by 16", new(1, 1, 1), [1, 16, 16, 320], 64, 3),
        Case("more than a block of pixels", new(1, 1, 1), [1, 40, 20, 8], 40, 3),
        Case("Winograd's size, smallest", new(1, 1, 1), [1, 12, 12, 32], 32, 3),
        Case("Winograd's size, odd in all ways", new(1, 1, 1), [2, 13, 18, 35], 37, 3, padding: 5),
        Case("Winograd's size, unpadded", new(), [1, 15, 17, 33], 34, 3),
        Case("Winograd's size, padded far before only", new(1, 4, 0), [1, 14, 19, 40], 48, 3),
        Case("Winograd's size, several images in a group of tiles", new(1, 1, 1), [5, 8, 9, 48], 32, 3),
        Case("Winograd's size, several blocks of tiles", new(1, 1, 1), [1, 70, 62, 32], 65, 3),
        Case("Winograd's size, several blocks of channels", new(1, 1, 1), [1, 12, 13, 350], 33, 3),
        Case("Winograd's size, bfloat16 weights", new(1, 1, 1), [1, 16, 14, 64], 96, 3, DType.BFloat16),
        Case("Winograd's size, float16 weights", new(1, 1, 1), [1, 16, 14, 70], 40, 3, DType.Float16),
        Case("Winograd's size, no bias", new(1, 1, 1), [1, 16, 16, 32], 32, 3, bias: false),
        Case("too few pixels for Winograd", new(1, 1, 1), [1, 1, 1, 64], 32, 3),
        Case("no bias", new(1, 1, 1), [1, 4, 4, 16], 16, 3, bias: false),
        Case("bfloat16 weights", new(1, 1, 1), [1, 5, 5, 20], 36, 3, DType.BFloat16),
        Case("float16 weights", new(1, 1, 1), [1, 5, 5, 20], 36, 3, DType.Float16),
        Case("column view", new(1, 1, 1), [2, 5, 6, 24], 20, 3, padding: 16),
        Case("column view, pointwise", new(), [2, 5, 6, 24], 20, 1, padding: 16),
        Enlarged("doubled", Upsampling.Double, [2, 3, 5, 6], 7),
        Enlarged("doubled, no bias", Upsampling.Double, [1, 2, 2, 4], 3, bias: false),
        Enlarged("doubled, Winograd's size", Upsampling.Double, [2, 9, 7, 35], 37, padding: 5),
        Enlarged("doubled, stride 2", Upsampling.Double, [1, 4, 5, 6], 7, stride: 2),
        Enlarged("to an odd size", Upsampling.Like, [2, 5, 7, 6], 7, like: [2, 9, 13, 3]),
        Enlarged("to an odd size, no bias", Upsampling.Like, [2, 5, 7, 6], 7, like: [2, 9, 13, 3], bias: false),
        Enlarged("to an odd size, Winograd's size", Upsampling.Like, [2, 8, 7, 35], 37, like: [2, 15, 13, 3], padding: 5),
        Enlarged("to a smaller size", Upsampling.Like, [1, 6, 7, 6], 7, like: [1, 4, 3, 1]),
        .. EpilogueReference.All.SelectMany(e => new[]
        {
            Enlarged($"{e.Name} after doubled", Upsampling.Double, [2, 3, 4, 6], 7, epilogue: e.Epilogue),
            Enlarged($"{e.Name} after resized", Upsampling.Like, [2, 8, 7, 33], 34, like: [2, 15, 13, 3], epilogue: e.Epilogue),
            Enlarged($"{e.Name} after resized, no bias", Upsampling.Like, [2, 3, 4, 6], 7, like: [2, 5, 7, 3], bias: false,
                epilogue: e.Epilogue),
        }),
        new("kernel wider than high", new Conv2D(), [CaseTensor.Normal([1, 6, 7, 3], 1), CaseTensor.Normal([4, 3, 2, 5], 2)], Float32Sums),
        .. EpilogueReference.All.SelectMany(e => new[]
        {
            After($"{e.Name} after 3 by 3", new(1, 1, 1, e.Epilogue), [2, 7, 5, 70], 37, 3),
                After($"{e.Name} after stride 2", new(2, 1, 1, e.Epilogue), [3, 4, 4, 6], 9, 3),
            After($"{e.Name} after pointwise", new(1, 0, 0, e.Epilogue), [2, 5, 3, 24], 17, 1),
                After($"{e.Name} after 32 channels", new(1, 1, 1, e.Epilogue), [2, 6, 9, 32], 32, 3),
            After($"{e.Name} after few outputs", new(1, 1, 1, e.Epilogue), [2, 6, 9, 32], 3, 3),
            After($"{e.Name} after Winograd's tiles", new(1, 1, 1, e.Epilogue), [2, 13, 11, 32], 35, 3),
        }),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        var conv = (Conv2D)op;
        var (x, w) = (inputs[0], inputs[1]);
        var like = conv.Upsampling == Upsampling.Like ? inputs[^(conv.Epilogue.Arguments + 1)] : null;
        int factor = conv.Upsampling == Upsampling.Double ? 2 : 1, height = like?.Shape[1] ?? factor * x.Shape[1],
            width = like?.Shape[2] ?? factor * x.Shape[2], ci = x.Shape[3], co = w.Shape[0], kh = w.Shape[2], kw = w.Shape[3];
        double[] y = new double[output.Count];
        for (int pixel = 0; pixel < output.Rows; pixel++)
        {
            int px = pixel % output[2], py = pixel / output[2] % output[1], n = pixel / output[2] / output[1];
            for (int c = 0; c < co; c++)
            {
                double sum = inputs.Length - conv.Epilogue.Arguments - (like is null ? 0 : 1) > 2 ? inputs[2].Values[c] : 0;
                for (int ky = 0; ky < kh; ky++)
                {
                    for (int kx = 0; kx < kw; kx++)
                    {
                        int fromY = py * conv.Stride + ky - conv.PaddingBefore, fromX = px * conv.Stride + kx - conv.PaddingBefore;
                        if (fromY < 0 || fromY >= height || fromX < 0 || fromX >= width) continue;
                        var from = x.Row((n * x.Shape[1] + fromY * x.Shape[1] / height) * x.Shape[2] + fromX * x.Shape[2] / width);
                        for (int i = 0; i < ci; i++) sum += from[i] * w.Values[((c * ci + i) * kh + ky) * kw + kx];
                    }
                }

                y[pixel * co + c] = sum;
            }
        }

        return EpilogueReference.Apply(conv.Epilogue, y, inputs, output);
    }

    private static OpCase After(string name, Conv2D op, Shape x, int channels, int kernel)
    {
        CaseTensor image = CaseTensor.Normal(x, 1),
            w = CaseTensor.Normal([channels, x.Last, kernel, kernel], 2, 1 / Math.Sqrt(x.Last * kernel * kernel)),
                bias = CaseTensor.Normal([channels], 3);
        Shape output = (op with { Epilogue = Epilogue.None }).Infer([new(DType.Float32, x), new(DType.Float32, w.Shape)]).Concrete();
        return new(name, op, [image, w, bias, .. EpilogueReference.Arguments(op.Epilogue, output)], Float32Sums);
    }

    private static OpCase Enlarged(
        string name, Upsampling upsampling, Shape x, int channels, Shape? like = null, bool bias = true, int padding = 0,
            Epilogue epilogue = default, int stride = 1)
    {
        var op = new Conv2D(stride, 1, 1, Upsampling: upsampling);
        var inputs = new List<CaseTensor> { CaseTensor.Normal(x, 1, padding: padding),
            CaseTensor.Normal([channels, x.Last, 3, 3], 2, 1 / Math.Sqrt(x.Last * 9)) };
        if (bias) inputs.Add(CaseTensor.Normal([channels], 3));
        if (like is { } size) inputs.Add(new CaseTensor(size, _ => double.NaN)); // only its sizes matter
        Shape output = op.Infer([.. inputs.Select(i => new TensorType(i.DType, i.Shape))]).Concrete();
        return new(name, op with { Epilogue = epilogue }, [.. inputs, .. EpilogueReference.Arguments(epilogue, output)], Float32Sums);
    }

    private static OpCase Case(string name, Conv2D op, Shape x, int channels, int kernel, DType weights = DType.Float32, bool bias = true,
        int padding = 0)
    {
        CaseTensor image = CaseTensor.Normal(x, 1, padding: padding);
        CaseTensor w = CaseTensor.Normal([channels, x.Last, kernel, kernel], 2, 1 / Math.Sqrt(x.Last * kernel * kernel), weights);
        return new(name, op, bias ? [image, w, CaseTensor.Normal([channels], 3, dtype: weights)] : [image, w], Float32Sums);
    }
}
