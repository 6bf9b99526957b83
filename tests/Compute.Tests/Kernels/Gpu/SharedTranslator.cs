using System.Collections.Concurrent;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Translates each kernel once for all targets that share its text: between CUDA architectures only the target's name differs
/// (<see cref="KernelTextTests"/>), and between OpenCL devices the definitions before the kernel, if it uses one of our functions
/// (<see cref="OpenClText"/>).
/// </summary>
internal sealed class SharedTranslator : IArtifactSource
{
    private static readonly GpuTarget Cuda = GpuTarget.Cuda(9, 0);
    private static readonly ConcurrentDictionary<(KernelSource Source, string Target), Lazy<KernelArtifact>> Texts = new();

    public KernelArtifact Get(KernelSource source, GpuTarget target)
    {
        if (target.Language == GpuLanguage.Ptx) return Translate(source, Cuda);
        var plain = target with { Features = GpuFeatures.None };
        return target != plain && Texts.TryGetValue((source, plain.CodeIdentity), out var known)
            && !known.Value.Text.Contains("ilgd_", StringComparison.Ordinal) ? known.Value : Translate(source, target);
    }

    public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) { }

    private static KernelArtifact Translate(KernelSource source, GpuTarget target) =>
        Texts.GetOrAdd((source, target.CodeIdentity), _ => new(() => KernelCompiler.Compile(source, target))).Value;
}
