using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// A kind of matrix instructions: which devices have them, and the type arguments that make <see cref="MatrixGemm"/>'s kernels use them.
/// </summary>
/// <param name="Name">Name of the kernel variants.</param>
/// <param name="Backends">The back end that has them.</param>
/// <param name="Has">Whether a device has them for all of the types.</param>
/// <param name="Unit">An <see cref="IMatrixUnit{TSums}"/> and its sums, for a device, an <see cref="IWarpMatrixType"/> and an
/// <see cref="IPieceLoader"/>.</param>
internal sealed record MatrixUnitVariant(string Name, Backends Backends, Func<GpuTarget, MatrixTypes, bool> Has,
    Func<GpuTarget, Type, Type, Type[]> Unit)
{
    /// <summary>Least number of groups that should be resident on a CUDA multiprocessor.</summary>
    public int GroupsPerProcessor { get; init; }

    /// <summary>CUDA tensor cores, from sm_80 on: older ones have no bfloat16, whose register layout the kernels rely on.</summary>
    public static MatrixUnitVariant TensorCores { get; } = new(
        "cuda/tensor-cores", Backends.Cuda, (target, types) => target.Features.Matrix.HasFlag(types | MatrixTypes.BFloat16),
        (_, matrix, loader) => [RuntimeTypes.Close(typeof(TensorCores<,>), matrix, loader), typeof(MatrixTile)])
    {
        GroupsPerProcessor = 2,
    };

    /// <summary>OpenCL sub-group matrix instructions.</summary>
    public static MatrixUnitVariant SubGroups { get; } = new(
        "opencl/matrices", Backends.OpenCL,
        (target, types) => target.Features.Matrix.HasFlag(types)
            && target.Features.MatrixUnit is not (MatrixUnitKind.None or MatrixUnitKind.Cuda)
                && target.MaxGroupSize >= MatrixGemm.GroupSize,
        (target, matrix, loader) =>
            [RuntimeTypes.Close(typeof(SubGroupMatrices<,,>), MatrixLayouts.Of(target.Features.MatrixUnit)!, matrix, loader),
                typeof(SubGroupTile)]);

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<MatrixUnitVariant> All { get; } = [TensorCores, SubGroups];

    /// <summary>Whether a device has them for these types.</summary>
    public bool Supports(Device device, MatrixTypes types) => Has(((GpuDevice)device).Target, types);

    /// <summary>A kernel of <see cref="MatrixGemm"/>.</summary>
    /// <param name="device">The target device.</param>
    /// <param name="kernel">Its name.</param>
    /// <param name="matrix">An <see cref="IWarpMatrixType"/>; for sub-groups an <see cref="IMatrixType"/>.</param>
    /// <param name="whole">Whether operands can be copied in vectors of 16 bytes.</param>
    /// <param name="rest">The kernel's other type arguments.</param>
    public KernelSource Source(Device device, string kernel, Type matrix, bool whole, Type[] rest) => KernelSource.Of(
        typeof(MatrixGemm), kernel, MatrixGemm.GroupSize,
            [.. Unit(((GpuDevice)device).Target, matrix, whole ? typeof(WholePieces) : typeof(ElementPieces)), .. rest]) with
    {
        GroupsPerProcessor = GroupsPerProcessor,
    };
}
