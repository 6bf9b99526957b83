using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Something that runs kernels and has memory. Safe for use by several threads.</summary>
public abstract class Device : IDisposable
{
    private readonly Dictionary<Type, object> attached = [];
    private long allocatedBytes, peakBytes, hostSynchronisations;

    /// <summary>Prepares what all devices have.</summary>
    /// <param name="loggerFactory">Makes the loggers of the device; null is <see cref="TraceLoggerFactory"/>.</param>
    protected Device(ILoggerFactory? loggerFactory = null)
    {
        LoggerFactory = loggerFactory ?? TraceLoggerFactory.Instance;
        Logger = LoggerFactory.CreateLogger<Device>();
    }

    /// <summary>
    /// The best device that works, as <see cref="DeviceCatalog.Open"/> chooses it for <c>auto</c>: opened when first asked for, logged
    /// (<see cref="TraceLoggerFactory"/>), and shared by all of the process until that ends. Pipelines that are given it leave it open, so nobody needs to dispose it; after somebody did, the next one to ask gets a new one. For a device of your
    /// own to dispose, or another one, call <see cref="DeviceCatalog.Open"/>.
    /// </summary>
    public static Device Best => DeviceCatalog.Shared();

    /// <summary>Makes the loggers for all messages about this device, its kernels, its cache and its tuning table.</summary>
    public ILoggerFactory LoggerFactory { get; }

    internal ILogger Logger { get; }

    /// <summary>Whether the device was disposed, and so is of no more use.</summary>
    public bool IsDisposed { get; protected set; }

    /// <summary>As the command line names it: <c>cpu</c>, <c>cuda:0</c>, <c>opencl:1</c>.</summary>
    public abstract string Id { get; }

    /// <summary>The product's name, such as the processor's.</summary>
    public abstract string Name { get; }

    /// <summary>How kernels run here.</summary>
    public abstract Backends Backend { get; }

    /// <summary>What code generation depends on: <c>avx512</c>, <c>sm_90</c> … Part of every kernel's identity.</summary>
    public abstract string Architecture { get; }

    /// <summary>The type that models compute in here unless asked otherwise.</summary>
    public virtual DType PreferredDType => DType.Float32;

    /// <summary>Whether models can compute in a type here: whether activations may have it.</summary>
    public virtual bool Computes(DType dtype) => dtype == DType.Float32;

    /// <summary>What measured speeds depend on beside the architecture: the product's name, and on a processor the number of threads.</summary>
    public virtual string TuningName => Name;

    /// <summary>All memory that the device has, in bytes.</summary>
    public abstract long MemoryBytes { get; }

    /// <summary>What the device can do at best: measured on first use, or stated by its maker; null where neither is known.</summary>
    public virtual DeviceCeilings? Ceilings => null;

    /// <summary>Bytes allocated at this moment. Borrowed memory, such as mapped weights, does not count.</summary>
    public long AllocatedBytes => Interlocked.Read(ref allocatedBytes);

    /// <summary>The largest value that <see cref="AllocatedBytes"/> ever had.</summary>
    public long PeakBytes => Interlocked.Read(ref peakBytes);

    /// <summary>How often values were read back so far, which makes the host wait for the device. The denoising loop must not raise it.</summary>
    public long HostSynchronisations => Interlocked.Read(ref hostSynchronisations);

    /// <summary>
    /// Asked to give back memory that is only kept for later, when an allocation fails; afterwards it is tried once more. Called on the thread that allocates, which may hold locks
    /// of its own: whoever listens must not wait for other threads.
    /// </summary>
    public event Action? MemoryShort;

    /// <summary>Allocates zeroed memory. Where memory is short, what is only kept for later is given back first (<see cref="MemoryShort"/>).</summary>
    /// <exception cref="DeviceException">Memory is short all the same; the message says how much is needed and free, and what would help.</exception>
    public abstract DeviceBuffer Allocate(long bytes);

    /// <summary>Queues a copy from the host into a contiguous tensor of the same byte count. Does not wait.</summary>
    public abstract void Upload(ReadOnlySpan<byte> source, Tensor target);

    /// <summary>Copies a contiguous tensor to the host. Waits for all queued work, which counts as one host synchronisation.</summary>
    public abstract void Download(Tensor source, Span<byte> target);

    /// <summary>Waits for all queued work, which counts as one host synchronisation; for measurements.</summary>
    public virtual void Synchronize() { }

    /// <summary>Begins to time what this thread queues; disposed when done. For measurements: other threads should leave the device alone.</summary>
    public virtual DeviceTiming StartTiming() => new HostTiming(this);

    /// <summary>A pace for a loop that queues work: the host runs at most <paramref name="ahead"/> portions ahead of the device.</summary>
    public virtual InFlightLimiter LimitInFlight(int ahead) => new();

    /// <summary>Records launches as one that repeats them all with the same arguments and less overhead: a CUDA graph. Nothing runs yet.</summary>
    /// <param name="launches">What to record, in order.</param>
    /// <param name="previous">An earlier recording that is no longer needed: bringing it up to date is quicker than a new one. It must not run again.</param>
    /// <returns>Null where the device has nothing of the kind.</returns>
    public virtual Launch? Record(IReadOnlyList<Launch> launches, Launch? previous = null) => null;

    /// <summary>Gives back what the device holds; its buffers are their owners' business.</summary>
    public abstract void Dispose();

    /// <summary>Asks for memory that is only kept for later.</summary>
    /// <returns>Bytes that were given back.</returns>
    protected long Reclaim()
    {
        long before = AllocatedBytes;
        MemoryShort?.Invoke();
        return Math.Max(0, before - AllocatedBytes);
    }

    /// <summary>What code above devices keeps for a device's lifetime, such as its compiled kernels: one object of each type, made when first asked for.</summary>
    internal T Attached<T>(Func<Device, T> create) where T : class
    {
        lock (attached)
        {
            if (!attached.TryGetValue(typeof(T), out object? found)) attached.Add(typeof(T), found = create(this));
            return (T)found;
        }
    }

    /// <summary>Attaches an object in place of the one that <see cref="Attached"/> would make.</summary>
    internal void Attach<T>(T value) where T : class
    {
        lock (attached) attached[typeof(T)] = value;
    }

    /// <summary>Notes an allocation.</summary>
    protected void Allocated(long bytes)
    {
        long now = Interlocked.Add(ref allocatedBytes, bytes), peak;
        while ((peak = Interlocked.Read(ref peakBytes)) < now && Interlocked.CompareExchange(ref peakBytes, now, peak) != peak) { }
    }

    /// <summary>Notes that memory was given back.</summary>
    protected void Released(long bytes) => Interlocked.Add(ref allocatedBytes, -bytes);

    /// <summary>Notes that the host waited for the device.</summary>
    protected void Synchronised() => Interlocked.Increment(ref hostSynchronisations);

    /// <summary>Id and name.</summary>
    public override string ToString() => $"{Id} ({Name})";
}
