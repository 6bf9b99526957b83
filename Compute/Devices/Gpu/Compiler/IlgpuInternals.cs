using System.Reflection;
using ILGPU.Runtime.Cuda;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// The non-public members of ILGPU that are used. Its version is pinned; <see cref="Check"/> detects another version at run time.
/// </summary>
internal static class IlgpuInternals
{
    private const string Pinned = "1.5.3";
    private static readonly MethodInfo? TargetArchitecture =
        typeof(CudaCapabilityContext).GetProperty(nameof(CudaCapabilityContext.TargetArchitecture))?.GetSetMethod(nonPublic: true);

    /// <summary>Each member and its name; null if it does not exist.</summary>
    public static IEnumerable<(string Name, MemberInfo? Member)> Members =>
        [("CudaCapabilityContext.TargetArchitecture (set)", TargetArchitecture)];

    /// <exception cref="KernelCompilationException">ILGPU is not the version that this was written for.</exception>
    public static void Check()
    {
        foreach (var (name, member) in Members)
            if (member is null)
                throw new KernelCompilationException(
                    $"ILGPU {typeof(CudaCapabilityContext).Assembly.GetName().Version} lacks {name}; this program needs exactly version "
                        + $"{Pinned}.");
    }

    /// <summary>ILGPU would target at most sm_80, which hides newer instructions.</summary>
    public static void SetTargetArchitecture(CudaCapabilityContext capabilities, CudaArchitecture architecture) =>
        TargetArchitecture!.Invoke(capabilities, [architecture]);
}
