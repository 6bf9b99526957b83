namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Everything, apart from the weight, that determines the bytes of a packed weight. Each kernel that packs derives a record of its own
/// numbers.
/// </summary>
internal abstract record PackedLayout;
