namespace ILGpuDiffusion.Pipelines.LatentSpace;

/// <summary>A batch of latents on the host, NCHW as in diffusers.</summary>
/// <param name="Batch">Images.</param>
/// <param name="Channels">Channels of the VAE's latent space.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Values">batch · channels · height · width values.</param>
public sealed record Latents(int Batch, int Channels, int Height, int Width, float[] Values)
{
    /// <summary>Such as <c>[1, 4, 64, 64]</c>.</summary>
    public string Shape => $"[{Batch}, {Channels}, {Height}, {Width}]";

    /// <summary>Reorders [n, c, h, w] to [n, h, w, c], the layout on devices.</summary>
    internal static void ToNhwc(ReadOnlySpan<float> nchw, Span<float> nhwc, int batch, int channels, int pixels)
    {
        for (int n = 0; n < batch; n++)
            for (int c = 0; c < channels; c++)
                for (int p = 0; p < pixels; p++)
                    nhwc[(n * pixels + p) * channels + c] = nchw[(n * channels + c) * pixels + p];
    }

    /// <summary>Reorders [n, h, w, c] to [n, c, h, w].</summary>
    internal static void ToNchw(ReadOnlySpan<float> nhwc, Span<float> nchw, int batch, int channels, int pixels)
    {
        for (int n = 0; n < batch; n++)
            for (int c = 0; c < channels; c++)
                for (int p = 0; p < pixels; p++)
                    nchw[(n * channels + c) * pixels + p] = nhwc[(n * pixels + p) * channels + c];
    }
}
