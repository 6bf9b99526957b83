namespace ILGpuDiffusion.Pipelines.Errors;

/// <summary>
/// A model computed NaN or infinity, because its type is too narrow for its values. (Weights that contain NaN or infinity throw a
/// ModelFileException.)
/// </summary>
/// <param name="part">The pipeline's component: <c>text_encoder</c>, <c>text_encoder_2</c>, <c>unet</c> or <c>vae</c>.</param>
/// <param name="step">Number of the denoising step, from 0; null outside the denoising loop.</param>
/// <param name="message">What was found where, and what to do.</param>
public sealed class NonFiniteException(string part, int? step, string message) : ArithmeticException(message)
{
    /// <summary>The pipeline's component: <c>text_encoder</c>, <c>text_encoder_2</c>, <c>unet</c> or <c>vae</c>.</summary>
    public string Part => part;

    /// <summary>Number of the denoising step, from 0, after which the latents held the value; null outside the denoising loop.</summary>
    public int? Step => step;
}
