namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>
/// How GEMMs and convolutions multiply Float32 numbers, as PyTorch's <c>torch.set_float32_matmul_precision</c>. Sums are Float32 either
/// way.
/// </summary>
public enum Float32Precision
{
    /// <summary>Whole Float32 numbers.</summary>
    Highest,

    /// <summary>
    /// TF32: numbers are rounded to 10 bits of mantissa, as many as Float16 has, with the range of Float32, and multiplied by tensor cores.
    /// A product's relative error is at most 2⁻¹⁰. Needs an NVIDIA GPU of compute capability 8.0 or later.
    /// </summary>
    TensorFloat32,
}
