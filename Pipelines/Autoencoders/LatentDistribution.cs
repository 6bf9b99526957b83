using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>
/// The encoder's distribution of an image's latents: an independent normal distribution for each value (diffusers'
/// DiagonalGaussianDistribution), in host memory.
/// </summary>
public sealed class LatentDistribution
{
    private const float LowestLogVariance = -30, HighestLogVariance = 20; // as diffusers clamps it

    /// <summary>Splits the encoder's result.</summary>
    /// <param name="moments">[n, height, width, 2 · channels]: the means, then the logarithms of the variances.</param>
    internal LatentDistribution(Tile moments)
    {
        (Count, Height, Width, Channels) = (moments.Count, moments.Height, moments.Width, moments.Channels / 2);
        ReadOnlySpan<float> values = moments.Values;
        Mean = new float[values.Length / 2];
        LogVariance = new float[values.Length / 2];
        for (int i = 0; i < Mean.Length; i += Channels)
        {
            values.Slice(2 * i, Channels).CopyTo(Mean.AsSpan(i));
            for (int c = 0; c < Channels; c++)
                LogVariance[i + c] = Math.Clamp(values[2 * i + Channels + c], LowestLogVariance, HighestLogVariance);
        }
    }

    /// <summary>Number of images.</summary>
    public int Count { get; }

    /// <summary>Rows of latents.</summary>
    public int Height { get; }

    /// <summary>Columns of latents.</summary>
    public int Width { get; }

    /// <summary>Latent channels.</summary>
    public int Channels { get; }

    /// <summary>The most likely latents, [n, height, width, channels]; diffusers' <c>mode()</c>.</summary>
    public float[] Mean { get; }

    /// <summary>Logarithm of each variance, clamped to −30 … 20, [n, height, width, channels].</summary>
    public float[] LogVariance { get; }

    /// <summary>Latents drawn from the distribution: mean + exp(log variance / 2) · noise.</summary>
    /// <param name="noise">Standard normal numbers, [n, height, width, channels]; the same numbers give the same latents.</param>
    /// <returns>[n, height, width, channels].</returns>
    /// <exception cref="ShapeException">The number of values differs from that of the latents.</exception>
    public float[] Sample(ReadOnlySpan<float> noise)
    {
        ShapeException.ThrowUnless(noise.Length == Mean.Length, "sample", "noise", $"{noise.Length} numbers",
            $"{Mean.Length} numbers, one for each of [{Count}, {Height}, {Width}, {Channels}]");
        var sample = new float[Mean.Length];
        for (int i = 0; i < sample.Length; i++) sample[i] = Mean[i] + MathF.Exp(0.5f * LogVariance[i]) * noise[i];
        return sample;
    }
}
