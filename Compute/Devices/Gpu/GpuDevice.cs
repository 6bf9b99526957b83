using System.Collections.Concurrent;
using System.Diagnostics;
using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A device with memory of its own, reached through a driver. All work is queued in order on one queue, so launches, uploads and frees need no waiting for each
/// other; only <see cref="Device.Download"/> waits.
/// </summary>
internal abstract class GpuDevice : Device
{
    private readonly ConcurrentDictionary<KernelSource, Lazy<GpuFunction>> functions = new();
    private readonly IArtifactSource artifacts;
    private readonly KernelLoader loader;
    private readonly CompileNotice notice;

    /// <summary>A device that takes its kernels from <paramref name="artifacts"/>.</summary>
    protected GpuDevice(IArtifactSource artifacts, ILoggerFactory? loggerFactory) : base(loggerFactory)
    {
        this.artifacts = artifacts.For(LoggerFactory);
        notice = new CompileNotice(this);
        loader = new KernelLoader(source => _ = Entry(source).Value, notice.Forget);
    }

    /// <summary>What kernels are generated for.</summary>
    public abstract GpuTarget Target { get; }

    /// <summary>How many groups can be at work at once, at the least: its multiprocessors or compute units. A guess where nobody says.</summary>
    public virtual int Units => 16;

    /// <inheritdoc/>
    public override string Architecture => Target.Architecture;

    /// <summary>Float16 where the device computes with it, because it is nearer to Float32 than BFloat16 and half as large; Float32 on processors, which would only convert.</summary>
    public override DType PreferredDType => Target.NativeHalf && !Target.IsCpu ? DType.Float16 : DType.Float32;

    /// <summary>Every float type can be stored; kernels accumulate in float32 whatever it is.</summary>
    public override bool Computes(DType dtype) => dtype.IsFloat();

    /// <inheritdoc/>
    public sealed override InFlightLimiter LimitInFlight(int ahead) => Queued is { } queue ? new GpuInFlightLimiter(queue, ahead) : base.LimitInFlight(ahead);

    /// <summary>The kernel, compiled and loaded at most once, whoever asks.</summary>
    /// <param name="source">What it is made of.</param>
    /// <param name="cancellation">Ends the waiting for it, not the work: that goes on in the background, and its result is kept.</param>
    /// <exception cref="DeviceException">It cannot be compiled or loaded here; the message has the driver's own words.</exception>
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
            functions.TryRemove(new(source, function)); // memory may only have been short: the next one tries again
            throw;
        }
    }

    /// <summary>Begins to compile and load a kernel in the background.</summary>
    /// <param name="source">What it is made of.</param>
    /// <param name="cancellation">Of the request that will need it: it is left out if its turn comes after that.</param>
    public void Begin(KernelSource source, CancellationToken cancellation = default)
    {
        bool known = functions.ContainsKey(source); // and perhaps left out before
        var function = Entry(source);
        if (function.IsValueCreated || !loader.Begin(source, cancellation) || !known) return;
        Expect(source);
        if (function.IsValueCreated) notice.Done(source);
    }

    /// <summary>Ends what <see cref="Begin"/> began: the first thing that a device does when it is disposed, or its process ends.</summary>
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
    /// <param name="source">What it was made of.</param>
    /// <param name="artifact">The code.</param>
    /// <param name="keep">Told the driver's binary, if it made one.</param>
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
        if (!source.IsEmpty) Staging.Copy(source, buffer, target.Offset);
    }

    /// <inheritdoc/>
    public sealed override void Download(Tensor source, Span<byte> target)
    {
        var buffer = Contiguous(source, target.Length);
        if (!target.IsEmpty) Read(buffer, source.Offset, target);
        Synchronised();
    }

    /// <summary>The queue of work; null for a device that only translates.</summary>
    protected virtual IDeviceQueue? Queued => null;

    /// <summary>Where uploads wait for the device.</summary>
    protected abstract GpuStaging Staging { get; }

    /// <summary>Allocates memory and queues its clearing.</summary>
    /// <param name="bytes">How much.</param>
    /// <param name="problem">The driver's words, where there is not enough.</param>
    /// <returns>Null where memory is short.</returns>
    /// <exception cref="DeviceException">Anything else failed.</exception>
    protected abstract GpuBuffer? TryAllocate(long bytes, out string problem);

    /// <summary>What the driver says is free; null where it does not say.</summary>
    protected virtual long? FreeBytes => null;

    /// <summary>Copies device memory to the host when all queued work is done.</summary>
    protected abstract void Read(GpuBuffer source, long offset, Span<byte> target);

    /// <summary>The buffer of a tensor of this device.</summary>
    /// <exception cref="DeviceException">The tensor lies somewhere else.</exception>
    internal GpuBuffer Own(Tensor tensor) => tensor.Buffer is GpuBuffer buffer && buffer.Device == this ? buffer
        : throw new DeviceException($"{Id}: {tensor} does not lie in this device's memory; upload it first.") { Device = Id };

    private DeviceException OutOfMemory(long bytes, string reason)
    {
        long? known = FreeBytes;
        long free = known ?? Math.Max(0, MemoryBytes - AllocatedBytes);
        return new(
            $"{Id} ({Name}): {Mebibytes(bytes)} of memory are needed and cannot be had ({reason}). "
            + $"The engine uses {Mebibytes(AllocatedBytes)} of {Mebibytes(MemoryBytes)}; "
            + $"{(known is null ? "at most " : "")}{Mebibytes(free)} are free. "
            + "Less is needed with offloading, with tiled decoding, in a 16-bit type, for a smaller image, or for fewer at once.")
        {
            Device = Id,
            NeededBytes = bytes,
            FreeBytes = free,
        };
    }

    /// <summary>The launch that was queued last: drivers report a kernel that crashed when somebody waits, not when it is queued.</summary>
    internal Launch? Last { get; set; }

    /// <summary>What the device was asked to do when a wait for it fails.</summary>
    protected string? Unfinished => Last is { } last ? $"work that ends with {last}" : null;

    /// <summary>Notes that a buffer of this device was freed.</summary>
    internal void Freed(long bytes) => Released(bytes);

    /// <summary>Every loaded kernel, for disposal.</summary>
    protected IEnumerable<GpuFunction> Functions => functions.Values.Where(f => f.IsValueCreated).Select(f => f.Value);

    private GpuBuffer Contiguous(Tensor tensor, long bytes)
    {
        bool fits = tensor.IsContiguous && tensor.Shape.Count * tensor.DType.Size() == bytes;
        if (!fits) throw new ShapeException($"copy: tensor is {tensor}; it must be contiguous, of {bytes} bytes.");
        return Own(tensor);
    }

    private static string Mebibytes(long bytes) => FormattableString.Invariant($"{bytes / 1048576.0:F0} MiB");
}
