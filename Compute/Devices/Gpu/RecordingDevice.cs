using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A GPU that compiles the kernels of the work that it is given, and runs none: whatever runs on it names the kernels that a device of this
/// kind needs. Memory is a number, uploads read nothing, and downloads are zeros.
/// </summary>
/// <param name="id">Its id.</param>
/// <param name="name">Its name.</param>
/// <param name="target">The target of the code.</param>
/// <param name="units">Multiprocessors or compute units, which the choice of tiles depends on.</param>
/// <param name="artifacts">Compiles the kernels.</param>
/// <param name="loggerFactory">Makes its loggers.</param>
internal sealed class RecordingDevice(string id, string name, GpuTarget target, int units, IArtifactSource artifacts,
    ILoggerFactory? loggerFactory = null) : GpuDevice(artifacts, loggerFactory)
{
    private readonly ConcurrentDictionary<KernelSource, KernelArtifact> recorded = new();
    private int buffers;

    /// <summary>The kernels so far.</summary>
    public IReadOnlyDictionary<KernelSource, KernelArtifact> Recorded => recorded;

    /// <inheritdoc/>
    public override string Id => id;

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override Backends Backend => target.Language == GpuLanguage.Ptx ? Backends.Cuda : Backends.OpenCL;

    /// <inheritdoc/>
    public override GpuTarget Target => target;

    /// <inheritdoc/>
    public override int Units => units;

    /// <inheritdoc/>
    public override long MemoryBytes => 1L << 40;

    /// <inheritdoc/>
    protected override GpuStaging Staging => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (IsDisposed) return;
        IsDisposed = true;
        EndLoading();
    }

    /// <inheritdoc/>
    internal override GpuFunction Load(KernelSource source, KernelArtifact artifact, IArtifactSource keep)
    {
        recorded.TryAdd(source, artifact);
        return new RecordedFunction(this, source, artifact);
    }

    /// <inheritdoc/>
    protected override GpuBuffer? TryAllocate(long bytes, out string problem)
    {
        problem = "";
        return new Nothing(this, Interlocked.Increment(ref buffers), bytes);
    }

    /// <inheritdoc/>
    protected override void Read(GpuBuffer source, long offset, Span<byte> target) => target.Clear();

    /// <inheritdoc/>
    protected override void Write(ReadOnlySpan<byte> source, GpuBuffer target, long offset) { }

    private sealed class Nothing(GpuDevice device, nint number, long bytes) : GpuBuffer(device, number, bytes)
    {
        protected override void Free(nint handle) { }
    }

    private sealed class RecordedFunction(GpuDevice device, KernelSource source, KernelArtifact artifact)
        : GpuFunction(device, source, artifact)
    {
        protected override Launch BindChecked(GpuGrid grid, GpuArguments arguments, ILaunchSubject? subject) => new NoLaunch();

        internal override void Unload() { }
    }

    private sealed class NoLaunch : Launch
    {
        public override void Run() { }
    }
}
