using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The targets whose kernels differ.</summary>
internal static class KernelTargets
{
    private static readonly GpuTarget OpenClGpu =
        GpuTarget.OpenClCpu() with { Architecture = "opencl-gpu", IsCpu = false, MaxGroupSize = 1024 };

    /// <summary>By name; targets whose texts others share come first. opencl-cpu is PoCL, without any of the features.</summary>
    public static IReadOnlyDictionary<string, GpuTarget> All { get; } = new OrderedDictionary<string, GpuTarget>
    {
        ["sm_80"] = GpuTarget.Cuda(8, 0),
        ["sm_86"] = GpuTarget.Cuda(8, 6),
        ["sm_89"] = GpuTarget.Cuda(8, 9),
        ["sm_90"] = GpuTarget.Cuda(9, 0),
        ["opencl-cpu"] = GpuTarget.OpenClCpu(),
        ["opencl-gpu"] = OpenClGpu,
        ["khronos"] = With(SubGroupKind.Khronos, IntegerDotKind.Khronos),
        ["intel-arm"] = With(SubGroupKind.Intel, IntegerDotKind.Arm),
        ["intel8"] = With(MatrixUnitKind.Intel8),
        ["intel16"] = With(MatrixUnitKind.Intel16),
        ["rdna3"] = With(MatrixUnitKind.Rdna3),
        ["rdna4"] = With(MatrixUnitKind.Rdna4),
    };

    private static GpuTarget With(SubGroupKind subGroups, IntegerDotKind dot) =>
        OpenClGpu with { Features = new() { SubGroups = subGroups, SubGroupSize = 32, Dot = dot } };

    private static GpuTarget With(MatrixUnitKind unit) =>
        OpenClGpu with { Features = new() { MatrixUnit = unit, Matrix = MatrixTypes.Float16 | MatrixTypes.BFloat16 | MatrixTypes.Int8 } };
}
