using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>What calls have in common that share a measured result.</summary>
/// <param name="Op">The op's name.</param>
/// <param name="DTypes">Element types of the first two arguments: values and weights.</param>
/// <param name="Bucket">The sizes.</param>
public readonly record struct SizeClass(string Op, ValueArray<DType> DTypes, ShapeBucket Bucket)
{
    /// <summary>Such as <c>matmul Float32,Float32 ≤4096 × 640→640</c>.</summary>
    public override string ToString() => $"{Op} {DTypes} {Bucket}";
}
