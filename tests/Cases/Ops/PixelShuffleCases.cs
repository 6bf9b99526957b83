using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Blocks of pixels to channels: the definition of torch.nn.PixelUnshuffle in the order [n, h, w, c].</summary>
public sealed class PixelUnshuffleCases : IOpCases
{
    private const double Exact = 0;

    public Type Op => typeof(PixelUnshuffle);

    public IEnumerable<OpCase> Cases =>
    [
        new("one pixel", new PixelUnshuffle(1), [CaseTensor.Normal([1, 1, 1, 1], 1)], Exact),
        new("one block", new PixelUnshuffle(2), [CaseTensor.Normal([1, 2, 2, 1], 2)], Exact),
        new("factor 1", new PixelUnshuffle(1), [CaseTensor.Normal([2, 3, 5, 7], 3)], Exact),
        new("factor 3, odd sizes", new PixelUnshuffle(3), [CaseTensor.Normal([2, 9, 15, 5], 4)], Exact),
        new("Flux latents", new PixelUnshuffle(2), [CaseTensor.Normal([1, 128, 128, 16], 5)], Exact),
        new("Flux latents, 1360 by 768", new PixelUnshuffle(2), [CaseTensor.Normal([1, 96, 170, 16], 6)], Exact),
        new("SDXL latents", new PixelUnshuffle(2), [CaseTensor.Normal([2, 128, 128, 4], 7)], Exact),
        new("pixels, factor 8", new PixelUnshuffle(8), [CaseTensor.Normal([1, 64, 48, 3], 8)], Exact),
        new("more channels than a group", new PixelUnshuffle(2), [CaseTensor.Normal([1, 2, 4, 259], 9)], Exact),
        new("column view", new PixelUnshuffle(2), [CaseTensor.Normal([2, 4, 6, 5], 10, padding: 3)], Exact),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        int r = ((PixelUnshuffle)op).Factor;
        var x = inputs[0];
        double[] y = new double[output.Count];
        for (int k = 0; k < y.Length; k++)
        {
            int z = k % output[3], pixel = k / output[3];
            int j = pixel % output[2], i = pixel / output[2] % output[1], n = pixel / output[2] / output[1];
            int c = z / (r * r), a = z / r % r, b = z % r;
            y[k] = x.Values[((n * x.Shape[1] + i * r + a) * x.Shape[2] + j * r + b) * x.Width + c];
        }

        return y;
    }
}

/// <summary>Channels to blocks of pixels: the definition of torch.nn.PixelShuffle in the order [n, h, w, c].</summary>
public sealed class PixelShuffleCases : IOpCases
{
    private const double Exact = 0;

    public Type Op => typeof(PixelShuffle);

    public IEnumerable<OpCase> Cases =>
    [
        new("one pixel", new PixelShuffle(1), [CaseTensor.Normal([1, 1, 1, 1], 1)], Exact),
        new("one block", new PixelShuffle(2), [CaseTensor.Normal([1, 1, 1, 4], 2)], Exact),
        new("factor 1", new PixelShuffle(1), [CaseTensor.Normal([2, 3, 5, 7], 3)], Exact),
        new("factor 3, odd sizes", new PixelShuffle(3), [CaseTensor.Normal([2, 3, 5, 45], 4)], Exact),
        new("Flux latents", new PixelShuffle(2), [CaseTensor.Normal([1, 64, 64, 64], 5)], Exact),
        new("Flux latents, 1360 by 768", new PixelShuffle(2), [CaseTensor.Normal([1, 48, 85, 64], 6)], Exact),
        new("SDXL latents", new PixelShuffle(2), [CaseTensor.Normal([2, 64, 64, 16], 7)], Exact),
        new("pixels, factor 8", new PixelShuffle(8), [CaseTensor.Normal([1, 8, 6, 192], 8)], Exact),
        new("more channels than a group", new PixelShuffle(2), [CaseTensor.Normal([1, 1, 2, 1036], 9)], Exact),
        new("column view", new PixelShuffle(2), [CaseTensor.Normal([2, 2, 3, 20], 10, padding: 3)], Exact),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        int r = ((PixelShuffle)op).Factor;
        var x = inputs[0];
        double[] y = new double[output.Count];
        for (int k = 0; k < y.Length; k++)
        {
            int c = k % output[3], pixel = k / output[3];
            int column = pixel % output[2], line = pixel / output[2] % output[1], n = pixel / output[2] / output[1];
            int i = line / r, a = line % r, j = column / r, b = column % r;
            y[k] = x.Values[((n * x.Shape[1] + i) * x.Shape[2] + j) * x.Width + (c * r + a) * r + b];
        }

        return y;
    }
}
