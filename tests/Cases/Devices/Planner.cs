using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Cases;

/// <summary>CUDA devices that only plan: they choose kernels as a device of their architecture does, and run nothing.</summary>
public static class Planner
{
    /// <summary>Opens one, such as 8, 6 for <c>sm_86</c>.</summary>
    public static Device Cuda(int major, int minor) => new PlanningDevice(GpuTarget.Cuda(major, minor));

    private sealed class PlanningDevice(GpuTarget target) : GpuDevice(new Translator(), loggerFactory: null)
    {
        public override string Id => "cuda:9";

        public override string Name => "planner";

        public override Backends Backend => Backends.Cuda;

        public override bool CompilesKernels => false;

        public override long MemoryBytes => 1L << 40;

        public override GpuTarget Target => target;

        protected override IDeviceQueue Queued => throw new NotSupportedException();

        protected override GpuStaging Staging => throw new NotSupportedException();

        protected override GpuBuffer? TryAllocate(long bytes, out string problem)
        {
            problem = "";
            return new Nothing(this, bytes);
        }

        protected override void Read(GpuBuffer source, long offset, Span<byte> target) => throw new NotSupportedException();

        public override void Dispose() => EndLoading();

        internal override GpuFunction Load(KernelSource source, KernelArtifact artifact, IArtifactSource keep) =>
            throw new NotSupportedException();
    }

    private sealed class Nothing(GpuDevice device, long bytes) : GpuBuffer(device, 1, bytes)
    {
        protected override void Free(nint handle) { }
    }
}
