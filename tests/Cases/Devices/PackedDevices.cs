using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Cases;

/// <summary>Recording devices whose kernels must all come from packs.</summary>
public static class PackedDevices
{
    /// <summary>Prepares recording for a target without a compiler.</summary>
    public static KernelRecorder Open(string target) => KernelRecorder.Open(target, new NoCompiler());

    private sealed class NoCompiler : IArtifactSource
    {
        public KernelArtifact Get(KernelSource source, GpuTarget target) =>
            throw new InvalidOperationException($"{source} for {target.Architecture} is in no pack.");

        public bool Has(KernelSource source, GpuTarget target) => false;

        public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) { }
    }
}
