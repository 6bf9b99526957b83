using ILGpuDiffusion.Compute;
using ILGpuDiffusion.Layers;

namespace ILGpuDiffusion.Pipelines;

/// <summary>Finds NaN and infinity.</summary>
internal static class NotFinite
{
    private const ushort HalfExponent = 0x7c00, BFloat16Exponent = 0x7f80;

    /// <summary>Index of the first value that is not finite, or −1.</summary>
    public static int IndexIn(ReadOnlySpan<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i])) return i;
        return -1;
    }

    /// <summary>The first of a model's weights that is not finite everywhere, or null. Reads all of them.</summary>
    public static string? WeightOf(Layer model) => model.Parameters.FirstOrDefault(p => p.Tensor.IsContiguous && Holds(p.Tensor))?.Path;

    /// <summary>The error for values that a model computed, with the cause where it can be seen.</summary>
    /// <param name="model">The model that computed them.</param>
    /// <param name="part">Its name in the model folder.</param>
    /// <param name="dtype">The type that it computes in.</param>
    /// <param name="value">The value found.</param>
    /// <param name="where">Follows "is NaN" and the like: <c>in the latents after step 3 of 20</c>.</param>
    /// <param name="step">Number of the denoising step.</param>
    public static NonFiniteException Error(Layer model, string part, DType dtype, float value, string where, int? step = null)
    {
        string cause = WeightOf(model) is { } weight ? $"Its weight {weight} holds NaN or infinity: the file is damaged, or the model was saved so."
            : dtype == DType.Float16 ? "Float16 ends at 65504: load the pipeline with DType BFloat16 or Float32."
            : "Its weights are finite; settings far from the usual (guidance scale, FreeU, scheduler) can do this.";
        return new NonFiniteException(part, step, $"{part} computed {value} {where}. {cause}");
    }

    private static bool Holds(Tensor tensor) => tensor.DType switch
    {
        DType.Float32 => IndexIn(tensor.Span<float>()) >= 0,
        DType.Float16 => Holds(tensor.Span<ushort>(), HalfExponent),
        DType.BFloat16 => Holds(tensor.Span<ushort>(), BFloat16Exponent),
        _ => false,
    };

    private static bool Holds(ReadOnlySpan<ushort> bits, ushort exponent)
    {
        foreach (ushort value in bits)
            if ((value & exponent) == exponent) return true;
        return false;
    }
}
