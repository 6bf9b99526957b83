using System.Collections.Concurrent;
using System.Diagnostics;
using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A device with memory of its own, accessed through a driver. All work is queued in order on one queue, so launches, uploads and frees do
/// not wait for each other; only <see cref="Device.Download"/> waits.
/// </summary>
internal abstract class GpuDevice : Device
{
    private readonly ConcurrentDictionary<KernelSource, Lazy<GpuFunction>> functions = new();
    private readonly PackedArtifacts artifacts;
    private readonly KernelLoader loader;
    private readonly CompileNotice notice;

    /// <summary>A device that takes its kernels from <paramref name="artifacts"/>.</summary>
    protected GpuDevice(IArtifactSource artifacts, ILoggerFactory? loggerFactory) : base(loggerFactory)
    {
        this.artifacts = new PackedArtifacts(artifacts.For(LoggerFactory), Logger);
        notice = new CompileNotice(this);
        loader = new KernelLoader(source => _ = Entry(source).Value, notice.Forget);
    }

    /// <summary>The target of code generation.</summary>
    public abstract GpuTarget Target { get; }

    /// <summary>Number of groups that run concurrently, at least: its multiprocessors or compute units. A guess if unknown.</summary>
    public virtual int Units => 16;

    /// <inheritdoc/>
    public override string Architecture => Target.Architecture;

    /// <summary>
    /// Float16 if the device computes with it, because it is more precise than BFloat16 and half the size of Float32; Float32 on CPU
    /// devices, which would only convert.
    /// </summary>
    public override DType PreferredDType => Target.NativeHalf && !Target.IsCpu ? DType.Float16 : DType.Float32;

    /// <summary>All float types can be stored; kernels accumulate in float32 for each of them.</summary>
    public override bool Computes(DType dtype) => dtype.IsFloat();

    /// <inheritdoc/>
    public override bool Computes(Float32Precision precision) => base.Computes(precision)
        || (Backend == Backends.Cuda && Target.Features.Matrix.HasFlag(MatrixTypes.TensorFloat32));

    /// <inheritdoc/>
    public sealed override InFlightLimiter LimitInFlight(int ahead) =>
        Queued is { } queue ? new GpuInFlightLimiter(queue, ahead) : base.LimitInFlight(ahead);

    /// <summary>Takes kernels that are not loaded yet from a pack, where it has them.</summary>
    internal void Use(IPackedKernels pack) => artifacts.Add(pack);

    /// <summary>A kernel's text, and its binary if this device has loaded it; compiled if it must be.</summary>
    internal KernelArtifact ArtifactOf(KernelSource source) => artifacts.Get(source, Target);

    /// <summary>A kernel's identity, which is equal in every build of the same code.</summary>
    internal string IdentityOf(KernelSource source) => artifacts.IdentityOf(source, Target.Language);

    /// <summary>A kernel function, compiled and loaded at most once.</summary>
    /// <param name="source">The kernel.</param>
    /// <param name="cancellation">Cancels the wait but not the compilation, which continues in the background; its result is kept.</param>
    /// <exception cref="DeviceException">It cannot be compiled or loaded on this device; the message quotes the driver.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before it was ready.</exception>
    public GpuFunction Function(KernelSource source, CancellationToken cancellation = default)
    {
        var function = Entry(source);
        if (cancellation.CanBeCanceled && !function.IsValueCreated) loader.Await(source, cancellation);
        try
        {
            return function.Value;
        }
        catch
        {
            functions.TryRemove(new(source, function)); // the failure may be temporary, such as out of memory: the next call tries again
            throw;
        }
    }

    /// <summary>Starts compiling and loading a kernel in the background.</summary>
    /// <param name="source">The kernel.</param>
    /// <param name="cancellation">Cancellation of the request that needs the kernel: if cancelled while queued, the kernel is
    /// skipped.</param>
    public void Begin(KernelSource source, CancellationToken cancellation = default)
    {
        bool known = functions.ContainsKey(source); // and may have been skipped before
        var function = Entry(source);
        if (function.IsValueCreated || !loader.Begin(source, cancellation) || !known) return;
        Expect(source);
        if (function.IsValueCreated) notice.Done(source);
    }

    /// <summary>
    /// Stops the background work of <see cref="Begin"/>: the first step when the device is disposed or the process exits.
    /// </summary>
    internal void EndLoading()
    {
        loader.Dispose();
        notice.Dispose();
    }

    private Lazy<GpuFunction> Entry(KernelSource source)
    {
        if (functions.TryGetValue(source, out var known)) return known;
        Expect(source);
        var made = new Lazy<GpuFunction>(() => LoadNoted(source));
        var entry = functions.GetOrAdd(source, made);
        if (entry != made && entry.IsValueCreated) notice.Done(source); // another thread was quicker, and done before this one expected it
        return entry;
    }

    private void Expect(KernelSource source)
    {
        if (!artifacts.Has(source, Target)) notice.Expect(source);
    }

    private GpuFunction LoadNoted(KernelSource source)
    {
        try
        {
            bool kept = artifacts.Has(source, Target);
            long start = Stopwatch.GetTimestamp();
            var artifact = artifacts.Get(source, Target);
            var translation = Stopwatch.GetElapsedTime(start);
            var function = Load(source, artifact, artifacts);
            if (!kept) LogTimes(source, translation, Stopwatch.GetElapsedTime(start) - translation);
            return function;
        }
        finally
        {
            notice.Done(source);
        }
    }

    private void LogTimes(KernelSource source, TimeSpan translation, TimeSpan driver)
    {
        if (!Logger.IsEnabled(LogLevel.Debug)) return; // naming a kernel loads the compiler's assembly
        DeviceLog.KernelBuilt(Logger, Id, source.ToString(), translation.TotalMilliseconds, driver.TotalMilliseconds);
    }

    /// <summary>Loads a kernel's text or binary.</summary>
    /// <param name="source">The kernel.</param>
    /// <param name="artifact">The compiled code.</param>
    /// <param name="keep">Receives the driver's binary, if it makes one.</param>
    internal abstract GpuFunction Load(KernelSource source, KernelArtifact artifact, IArtifactSource keep);

    /// <inheritdoc/>
    public sealed override DeviceBuffer Allocate(long bytes)
    {
        var buffer = TryAllocate(bytes, out string problem);
        if (buffer is null && Reclaim() is > 0 and var reclaimed)
        {
            const double Mebibyte = 1 << 20;
            DeviceLog.MemoryFreed(Logger, Id, reclaimed / Mebibyte, bytes / Mebibyte, MemoryBytes / Mebibyte);
            buffer = TryAllocate(bytes, out problem);
        }

        if (buffer is null) throw OutOfMemory(bytes, problem);
        Allocated(bytes);
        return buffer;
    }

    /// <inheritdoc/>
    public sealed override void Upload(ReadOnlySpan<byte> source, Tensor target)
    {
        var buffer = Contiguous(target, source.Length);
        if (!source.IsEmpty) Write(source, buffer, target.Offset);
    }

    /// <inheritdoc/>
    public sealed override void Download(Tensor source, Span<byte> target)
    {
        var buffer = Contiguous(source, target.Length);
        if (!target.IsEmpty) Read(buffer, source.Offset, target);
        Synchronised();
    }

    /// <summary>The work queue; null for a device that only translates.</summary>
    protected virtual IDeviceQueue? Queued => null;

    /// <summary>Queues a copy from the host.</summary>
    protected virtual void Write(ReadOnlySpan<byte> source, GpuBuffer target, long offset) => Staging.Copy(source, target, offset);

    /// <summary>Staging memory for uploads.</summary>
    protected abstract GpuStaging Staging { get; }

    /// <summary>Allocates memory and queues its clearing.</summary>
    /// <param name="bytes">Size in bytes.</param>
    /// <param name="problem">The driver's error if there is not enough memory.</param>
    /// <returns>Null if out of memory.</returns>
    /// <exception cref="DeviceException">Any other failure.</exception>
    protected abstract GpuBuffer? TryAllocate(long bytes, out string problem);

    /// <summary>Free memory as reported by the driver; null if it does not report it.</summary>
    protected virtual long? FreeBytes => null;

    /// <summary>Copies device memory to the host after all queued work is done.</summary>
    protected abstract void Read(GpuBuffer source, long offset, Span<byte> target);

    /// <summary>The buffer of a tensor of this device.</summary>
    /// <exception cref="DeviceException">The tensor is not on this device.</exception>
    internal GpuBuffer Own(Tensor tensor) => tensor.Buffer is GpuBuffer buffer && buffer.Device == this ? buffer
        : throw new DeviceException($"{Id}: {tensor} is not in this device's memory; upload it first.") { Device = Id };

    private DeviceException OutOfMemory(long bytes, string reason)
    {
        long? known = FreeBytes;
        long free = known ?? Math.Max(0, MemoryBytes - AllocatedBytes);
        return new(
            $"{Id} ({Name}): could not allocate {Mebibytes(bytes)} of memory ({reason}). "
            + $"The engine uses {Mebibytes(AllocatedBytes)} of {Mebibytes(MemoryBytes)}; "
            + $"{(known is null ? "at most " : "")}{Mebibytes(free)} are free. "
            + "Offloading, tiled decoding, a 16-bit type, a smaller image or a smaller batch need less.")
        {
            Device = Id,
            NeededBytes = bytes,
            FreeBytes = free,
        };
    }

    /// <summary>The last queued launch: drivers report a crashed kernel only at the next wait.</summary>
    internal Launch? Last { get; set; }

    /// <summary>Describes the unfinished work for errors of a wait.</summary>
    protected string? Unfinished => Last is { } last ? $"work that ends with {last}" : null;

    /// <summary>Records that a buffer of this device was freed.</summary>
    internal void Freed(long bytes) => Released(bytes);

    /// <summary>All loaded kernels, for disposal.</summary>
    protected IEnumerable<GpuFunction> Functions => functions.Values.Where(f => f.IsValueCreated).Select(f => f.Value);

    private GpuBuffer Contiguous(Tensor tensor, long bytes)
    {
        bool fits = tensor.IsContiguous && tensor.Shape.Count * tensor.DType.Size() == bytes;
        if (!fits) throw new ShapeException($"copy: tensor is {tensor}; it must be contiguous, of {bytes} bytes.");
        return Own(tensor);
    }

    private static string Mebibytes(long bytes) => FormattableString.Invariant($"{bytes / 1048576.0:F0} MiB");
}
