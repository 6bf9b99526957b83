using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>All that changes a kernel's code, and nothing else: equal keys share one compiled kernel.</summary>
/// <param name="Op">The op with its attributes; never a size that the user chooses.</param>
/// <param name="Inputs">Element types of the arguments.</param>
/// <param name="Output">Element type of the result.</param>
/// <param name="Variant">The variant's name, such as <c>cpu/packed</c>.</param>
/// <param name="Architecture">What the code was generated for.</param>
internal readonly record struct KernelKey(Op Op, ValueArray<DType> Inputs, DType Output, string Variant, string Architecture);
