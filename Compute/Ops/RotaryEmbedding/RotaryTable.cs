using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Computes the angles of <see cref="RotaryEmbedding"/> from the positions of tokens along several axes.</summary>
public static class RotaryTable
{
    /// <summary>Cosines and sines of each token's angles in Flux's layout: axis after axis, each angle twice in a row.</summary>
    /// <param name="ids">Positions, [tokens, axes], row-major.</param>
    /// <param name="axes">Channels per axis; even. Their sum is the head's width.</param>
    /// <param name="theta">Base of the frequencies: θ^(−2j / width of the axis).</param>
    /// <returns>Two tables [tokens, sum of axes], row-major. Angles are computed in float64, the results rounded to float32.</returns>
    /// <exception cref="ShapeException">An axis is odd, or <paramref name="ids"/> does not have a number for every axis.</exception>
    public static (float[] Cos, float[] Sin) Create(ReadOnlySpan<float> ids, ReadOnlySpan<int> axes, double theta = 10000)
    {
        ShapeException.ThrowUnless(axes.Length > 0 && ids.Length % axes.Length == 0, "rotary_table", "ids", $"{ids.Length} numbers",
            $"a multiple of {axes.Length} axes");
        int width = 0;
        foreach (int axis in axes)
        {
            ShapeException.ThrowUnless(axis > 0 && axis % 2 == 0, "rotary_table", "axis", axis, "positive and even");
            width += axis;
        }

        int tokens = ids.Length / axes.Length, column = 0;
        float[] cos = new float[tokens * width], sin = new float[tokens * width];
        for (int a = 0; a < axes.Length; a++)
        {
            for (int j = 0; j < axes[a]; j += 2, column += 2)
            {
                double frequency = 1.0 / Math.Pow(theta, (double)j / axes[a]);
                for (int token = 0; token < tokens; token++)
                {
                    var (s, c) = Math.SinCos(ids[token * axes.Length + a] * frequency);
                    int i = token * width + column;
                    cos[i] = cos[i + 1] = (float)c;
                    sin[i] = sin[i + 1] = (float)s;
                }
            }
        }

        return (cos, sin);
    }
}
