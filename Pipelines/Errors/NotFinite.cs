using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Pipelines.Errors;

/// <summary>Finds NaN and infinity.</summary>
internal static class NotFinite
{
    /// <summary>Index of the first value that is not finite, or −1.</summary>
    public static int IndexIn(ReadOnlySpan<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i])) return i;
        return -1;
    }

    /// <summary>The exception for non-finite values that a model computed. Its weights are finite, which is checked on first use.</summary>
    /// <param name="part">The component's name in its folder.</param>
    /// <param name="dtype">The type that it computes in.</param>
    /// <param name="value">The value found.</param>
    /// <param name="where">Where it was found, the end of the message's first sentence: <c>in the latents after step 3 of 20</c>.</param>
    /// <param name="step">Number of the denoising step.</param>
    public static NonFiniteException Error(string part, DType dtype, float value, string where, int? step = null)
    {
        string cause = dtype == DType.Float16
            ? "Float16 ends at 65504: load the pipeline with DType BFloat16 or Float32."
            : "Its weights are finite, but they, or extreme settings (guidance scale, FreeU, scheduler), make values overflow.";
        return new NonFiniteException(part, step, $"{part} computed {value} {where}. {cause}");
    }
}
