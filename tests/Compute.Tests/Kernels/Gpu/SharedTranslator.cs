using System.Collections.Concurrent;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Translates each kernel once for as many targets as its text serves: between CUDA's architectures it differs in the target's name alone
/// (<see cref="KernelTextTests"/>), and between OpenCL devices in what stands before the kernel, where it uses one of our functions
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
