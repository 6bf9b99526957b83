using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>A device that runs kernels and has memory. Thread-safe.</summary>
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
    /// (<see cref="TraceLoggerFactory"/>), and shared by all of the process until that ends. Pipelines that are given it leave it open, so
    /// nobody needs to dispose it; after somebody did, the next one to ask gets a new one. For a device of your own to dispose, or another
    /// one, call <see cref="DeviceCatalog.Open"/>.
    /// </summary>
    public static Device Best => DeviceCatalog.Shared();

    /// <summary>Makes the loggers for all messages about this device, its kernels, its cache and its tuning table.</summary>
    public ILoggerFactory LoggerFactory { get; }

    internal ILogger Logger { get; }

    /// <summary>Whether the device was disposed, and so is of no more use.</summary>
    public bool IsDisposed { get; protected set; }

    /// <summary>Name on the command line: <c>cpu</c>, <c>cuda:0</c>, <c>opencl:1</c>.</summary>
    public abstract string Id { get; }

    /// <summary>Product name, such as the processor's.</summary>
    public abstract string Name { get; }

    /// <summary>The API through which kernels run.</summary>
    public abstract Backends Backend { get; }

    /// <summary>Target of code generation: <c>avx512</c>, <c>sm_90</c> … Part of every kernel's key.</summary>
    public abstract string Architecture { get; }

    /// <summary>Default type of activations on this device.</summary>
    public virtual DType PreferredDType => DType.Float32;

    /// <summary>Whether the device supports a type for activations.</summary>
    public virtual bool Computes(DType dtype) => dtype == DType.Float32;

    /// <summary>Whether the device can multiply Float32 numbers so.</summary>
    public virtual bool Computes(Float32Precision precision) => precision == Float32Precision.Highest;

    /// <summary>Whether kernels read host memory, such as mapped weights, in place.</summary>
    public virtual bool ReadsHostMemory => false;

    /// <summary>Whether kernels are compiled at run time, so that starting early saves time.</summary>
    public virtual bool CompilesKernels => true;

    /// <summary>Whether <see cref="Record"/> is supported.</summary>
    public virtual bool RecordsLaunches => false;

    /// <summary>
    /// Whether convolutions read weights whose kernel positions come before the input channels, [out, h, w, in], rather than as in files.
    /// </summary>
    public virtual bool PutsKernelPositionsFirst => true;

    /// <summary>
    /// What measured speeds depend on, apart from the architecture: the product name, and on a CPU the number of threads.
    /// </summary>
    public virtual string TuningName => Name;

    /// <summary>Total memory of the device, in bytes.</summary>
    public abstract long MemoryBytes { get; }

    /// <summary>Peak rates: measured on first use, or from the vendor's specification; null if unknown.</summary>
    public virtual DeviceCeilings? Ceilings => null;

    /// <summary>Bytes allocated at present. Borrowed memory, such as mapped weights, does not count.</summary>
    public long AllocatedBytes => Interlocked.Read(ref allocatedBytes);

    /// <summary>Maximum of <see cref="AllocatedBytes"/> so far, or since <see cref="ResetPeak"/>.</summary>
    public long PeakBytes => Interlocked.Read(ref peakBytes);

    /// <summary>Begins a new maximum; PyTorch's <c>reset_peak_memory_stats</c>.</summary>
    public void ResetPeak() => Interlocked.Exchange(ref peakBytes, AllocatedBytes);

    /// <summary>
    /// Number of downloads and waits so far, which block the host until the device is done. The denoising loop must not increase it.
    /// </summary>
    public long HostSynchronisations => Interlocked.Read(ref hostSynchronisations);

    /// <summary>
    /// Raised when an allocation fails, to free memory that is only cached; the allocation is then tried once more. Handlers run on the
    /// allocating thread, which may hold locks: they must not wait for other threads.
    /// </summary>
    public event Action? MemoryShort;

    /// <summary>Allocates zeroed memory. If memory is short, cached memory is freed first (<see cref="MemoryShort"/>).</summary>
    /// <exception cref="DeviceException">Out of memory; the message says how much is needed and free, and what would help.</exception>
    public abstract DeviceBuffer Allocate(long bytes);

    /// <summary>Queues a copy from the host to a contiguous tensor of the same byte count. Does not wait.</summary>
    public abstract void Upload(ReadOnlySpan<byte> source, Tensor target);

    /// <summary>Copies a contiguous tensor to the host. Waits for all queued work, which counts as one host synchronisation.</summary>
    public abstract void Download(Tensor source, Span<byte> target);

    /// <summary>Waits for all queued work, which counts as one host synchronisation; for measurements.</summary>
    public virtual void Synchronize() { }

    /// <summary>
    /// Starts timing the work queued by this thread; dispose to end. For measurements: other threads should not use the device meanwhile.
    /// </summary>
    public virtual DeviceTiming StartTiming() => new HostTiming(this);

    /// <summary>
    /// A limiter for a loop that queues work: the host runs at most <paramref name="ahead"/> portions ahead of the device.
    /// </summary>
    public virtual InFlightLimiter LimitInFlight(int ahead) => new();

    /// <summary>
    /// Records launches as one that repeats them all with the same arguments and less overhead: a CUDA graph. Nothing runs yet.
    /// </summary>
    /// <param name="launches">The launches, in order.</param>
    /// <param name="previous">An earlier recording that is no longer needed: updating it is faster than recording anew. It must not run
    /// again.</param>
    /// <returns>Null if the device does not support it.</returns>
    public virtual Launch? Record(IReadOnlyList<Launch> launches, Launch? previous = null) => null;

    /// <summary>Frees the device's resources, except buffers, which belong to their owners.</summary>
    public abstract void Dispose();

    /// <summary>Requests that cached memory be freed.</summary>
    /// <returns>Bytes freed.</returns>
    protected long Reclaim()
    {
        long before = AllocatedBytes;
        MemoryShort?.Invoke();
        return Math.Max(0, before - AllocatedBytes);
    }

    /// <summary>
    /// State that code above devices keeps for a device's lifetime, such as its compiled kernels: one object per type, created on first
    /// use.
    /// </summary>
    internal T Attached<T>(Func<Device, T> create) where T : class
    {
        lock (attached)
        {
            if (!attached.TryGetValue(typeof(T), out object? found)) attached.Add(typeof(T), found = create(this));
            return (T)found;
        }
    }

    /// <summary>Attaches an object in place of the one that <see cref="Attached"/> would create.</summary>
    internal void Attach<T>(T value) where T : class
    {
        lock (attached) attached[typeof(T)] = value;
    }

    /// <summary>Records an allocation.</summary>
    protected void Allocated(long bytes)
    {
        long now = Interlocked.Add(ref allocatedBytes, bytes), peak;
        while ((peak = Interlocked.Read(ref peakBytes)) < now && Interlocked.CompareExchange(ref peakBytes, now, peak) != peak) { }
    }

    /// <summary>Records that memory was freed.</summary>
    protected void Released(long bytes) => Interlocked.Add(ref allocatedBytes, -bytes);

    /// <summary>Records that the host waited for the device.</summary>
    protected void Synchronised() => Interlocked.Increment(ref hostSynchronisations);

    /// <summary>Id and name.</summary>
    public override string ToString() => $"{Id} ({Name})";
}
