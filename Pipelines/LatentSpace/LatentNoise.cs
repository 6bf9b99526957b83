namespace ILGpuDiffusion.Pipelines.LatentSpace;

/// <summary>Draws a batch's noise from one generator or from one generator per image, as diffusers' randn_tensor does.</summary>
public static class LatentNoise
{
    /// <summary>
    /// Fills a batch with standard normal values. One generator draws the batch as one tensor; several draw one image each, so that
    /// an image does not depend on the batch it is made in.
    /// </summary>
    /// <param name="generators">One, or as many as the batch has images.</param>
    /// <param name="latents">[batch, …], contiguous.</param>
    /// <param name="batch">Number of images.</param>
    /// <exception cref="ArgumentException">The counts do not match; the message gives both.</exception>
    public static void Fill(IReadOnlyList<TorchGenerator> generators, Span<float> latents, int batch)
    {
        ArgumentNullException.ThrowIfNull(generators);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        if (latents.Length % batch != 0)
            throw new ArgumentException($"{latents.Length} latent values do not divide into {batch} images.", nameof(latents));
        if (generators.Count == 1)
        {
            generators[0].Fill(latents);
            return;
        }

        if (generators.Count != batch)
            throw new ArgumentException($"{generators.Count} generators are given for {batch} images; give 1 or {batch}.",
                nameof(generators));
        int size = latents.Length / batch;
        for (int image = 0; image < batch; image++) generators[image].Fill(latents.Slice(image * size, size));
    }
}
