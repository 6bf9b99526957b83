using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Recorded tensors as arguments of ops, and results in the recorded order.</summary>
internal static class GoldenArguments
{
    /// <summary>Values in row-major order.</summary>
    public static CaseTensor Of(Shape shape, float[] values) => new(shape, i => values[i]);

    /// <summary>A recorded input [a, b, c, d] as [a, c, d, b]: an image NCHW as NHWC.</summary>
    public static CaseTensor ChannelsLast(this GoldenCase golden, string name)
    {
        Shape s = golden.InputShape(name);
        return Of([s[0], s[2], s[3], s[1]], Permute(golden.Input(name), s, 0, 2, 3, 1));
    }

    /// <summary>A recorded input [n, heads, tokens, d] as [n, tokens, heads · d].</summary>
    public static CaseTensor HeadsTogether(this GoldenCase golden, string name)
    {
        Shape s = golden.InputShape(name);
        return Of([s[0], s[2], s[1] * s[3]], Permute(golden.Input(name), s, 0, 2, 1, 3));
    }

    /// <summary>An op's result in its own order.</summary>
    public static float[] Run(Op op, params CaseTensor[] inputs) => OpRunner.Run(op, inputs).Floats();

    /// <summary>Values of shape <paramref name="shape"/> with their four dimensions in another order.</summary>
    public static float[] Permute(float[] values, Shape shape, params int[] order)
    {
        int[] sizes = shape.Sizes.ToArray(), strides = [sizes[1] * sizes[2] * sizes[3], sizes[2] * sizes[3], sizes[3], 1];
        float[] result = new float[values.Length];
        int to = 0;
        for (int a = 0; a < sizes[order[0]]; a++)
            for (int b = 0; b < sizes[order[1]]; b++)
                for (int c = 0; c < sizes[order[2]]; c++)
                    for (int d = 0; d < sizes[order[3]]; d++)
                        result[to++] = values[a * strides[order[0]] + b * strides[order[1]] + c * strides[order[2]]
                            + d * strides[order[3]]];
        return result;
    }
}
