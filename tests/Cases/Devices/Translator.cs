using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Cases;

/// <summary>Compiles every kernel without caching.</summary>
internal sealed class Translator : IArtifactSource
{
    public KernelArtifact Get(KernelSource source, GpuTarget target) => KernelCompiler.Compile(source, target);

    public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) { }
}
