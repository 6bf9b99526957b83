namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>All that changes a kernel's code, and nothing else: equal keys share one compiled kernel.</summary>
/// <param name="Op">The op with its attributes; never a size that the user chooses.</param>
/// <param name="DTypes">Element types of inputs and output, such as <c>Float32,BFloat16→Float32</c>.</param>
/// <param name="Variant">The variant's name, such as <c>cpu/packed</c>.</param>
/// <param name="Architecture">What the code was generated for.</param>
public readonly record struct KernelKey(Op Op, string DTypes, string Variant, string Architecture);
