using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>An NVIDIA GPU through the driver API: the process's primary context, one stream.</summary>
internal sealed unsafe class CudaDevice : GpuDevice, IDeviceQueue
{
    private const uint NonBlocking = 1, DisableTiming = 2;
    [ThreadStatic] private static nint recordingStream; // non-zero while this thread records launches instead of running them
    private readonly ICuda api;
    private readonly CudaInfo info;
    private readonly nint context, stream, pool;
    private readonly GpuStaging staging;
    private readonly Lock gate = new();
    private readonly HashSet<nint> graphs = [];

    /// <summary>Opens a GPU.</summary>
    /// <param name="api">The driver.</param>
    /// <param name="info">Which GPU.</param>
    /// <param name="artifacts">Source of compiled kernels.</param>
    /// <param name="stagingBytes">Size of each of the two chunks that uploads go through.</param>
    /// <param name="loggerFactory">Makes the device's loggers; null is <see cref="TraceLoggerFactory"/>.</param>
    /// <exception cref="DeviceException">It cannot be used.</exception>
    public CudaDevice(ICuda api, CudaInfo info, IArtifactSource artifacts, int stagingBytes = GpuStaging.DefaultChunkBytes,
        ILoggerFactory? loggerFactory = null) : base(artifacts, loggerFactory)
    {
        (this.api, this.info, Id) = (api, info, $"cuda:{info.Ordinal}");
        if (info.Problem is { } problem) throw new DeviceException($"{Id} ({info.Name}) cannot be used: {problem}.") { Device = Id };
        Check(api.DevicePrimaryCtxRetain(info.Device, out context), "cuDevicePrimaryCtxRetain");
        try
        {
            Enter();
            Check(api.StreamCreate(NonBlocking, out stream), "cuStreamCreate");
            if (info.HasPools && api.DeviceGetDefaultMemPool(info.Device, out pool) == 0)
                // arenas are freed and allocated again: the pool keeps their memory
                Check(api.MemPoolSetReleaseThreshold(pool, ulong.MaxValue), "cuMemPoolSetAttribute");
        }
        catch
        {
            if (stream != 0) api.StreamDestroy(stream);
            api.DevicePrimaryCtxRelease(info.Device);
            throw;
        }

        staging = new GpuStaging(this, stagingBytes);
    }

    /// <inheritdoc/>
    public override string Id { get; }

    /// <inheritdoc/>
    public override string Name => info.Name;

    /// <inheritdoc/>
    public override Backends Backend => Backends.Cuda;

    /// <inheritdoc/>
    public override bool RecordsLaunches => true;

    /// <inheritdoc/>
    public override GpuTarget Target => info.Target;

    /// <inheritdoc/>
    public override int Units => info.Multiprocessors;

    /// <inheritdoc/>
    public override long MemoryBytes => info.MemoryBytes;

    /// <inheritdoc/>
    protected override IDeviceQueue? Queued => this;

    /// <inheritdoc/>
    protected override GpuStaging Staging => staging;

    internal ICuda Api => api;

    internal CudaInfo Info => info;

    /// <summary>The stream of this thread's launches.</summary>
    internal nint Stream => recordingStream != 0 ? recordingStream : stream;

    /// <summary>
    /// Makes the device's context current on this thread. Other libraries may have set another one, so every call starts with this; it
    /// takes nanoseconds.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The device was disposed: its context and stream are gone.</exception>
    internal void Enter()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        int error = api.CtxSetCurrent(context);
        if (error != 0) Check(error, "cuCtxSetCurrent");
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        lock (gate)
        {
            if (IsDisposed) return;
            IsDisposed = true;
        }

        EndLoading();
        // After a device is lost, calls from here on fail; free what can be freed.
        api.CtxSetCurrent(context);
        api.StreamSynchronize(stream);
        staging.Dispose();
        foreach (nint graph in graphs) api.GraphExecDestroy(graph);
        graphs.Clear();
        foreach (var function in Functions) function.Unload();
        if (pool != 0) api.MemPoolTrimTo(pool, 0);
        api.StreamDestroy(stream);
        api.DevicePrimaryCtxRelease(info.Device);
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        Enter();
        CheckWait(api.StreamSynchronize(stream), "cuStreamSynchronize");
        Synchronised();
    }

    /// <inheritdoc/>
    public override DeviceTiming StartTiming() => new CudaTiming(this);

    /// <summary>Records a timing event at the end of the stream.</summary>
    internal nint Event() => Recorded(CreateEvent(timing: true));

    /// <summary>Waits for an event, which counts as one host synchronisation.</summary>
    internal void Await(nint @event)
    {
        Enter();
        CheckWait(api.EventSynchronize(@event), "cuEventSynchronize");
        Synchronised();
    }

    /// <summary>Seconds between two completed events.</summary>
    internal double Seconds(nint start, nint end)
    {
        Check(api.EventElapsedTime(start, end, out float milliseconds), "cuEventElapsedTime");
        return milliseconds / 1000.0;
    }

    /// <summary>Throws if a call failed.</summary>
    /// <param name="error">The driver's error code.</param>
    /// <param name="function">The driver's function.</param>
    /// <param name="what">The op that the call was for, if any.</param>
    internal void Check(int error, string function, string? what = null)
    {
        if (error == 0) return;
        string lost = CudaError.IsLost(error)
            ? " The device is lost for this process: end it and start it again; with CUDA_LAUNCH_BLOCKING=1 the failing kernel is named "
                + "here." : "";
        throw new DeviceException(
            $"{Id} ({info.Name}): {function} failed with {CudaError.Name(api, error)}{(what is null ? "" : $" in {what}")}.{lost}")
        {
            Device = Id,
            Op = what,
        };
    }

    private void CheckWait(int error, string function)
    {
        if (error != 0) Check(error, function, Unfinished);
    }

    /// <inheritdoc/>
    public override Launch? Record(IReadOnlyList<Launch> launches, Launch? previous = null)
    {
        Enter();
        nint executable = CudaGraph.Record(this, launches, (previous as CudaGraphLaunch)?.Take() ?? 0);
        lock (gate) graphs.Add(executable);
        return new CudaGraphLaunch(this, executable, launches.Count, $"{launches[0]}", $"{launches[^1]}");
    }

    /// <summary>Redirects this thread's launches to another stream while it records.</summary>
    internal static void RecordTo(nint other) => recordingStream = other;

    /// <summary>Transfers ownership of a graph to the caller.</summary>
    /// <returns>False if the device has already freed it.</returns>
    internal bool Forget(nint executable)
    {
        lock (gate) return !IsDisposed && graphs.Remove(executable);
    }

    /// <summary>Frees a graph that is no longer replayed. Finalizers call it, while another thread may dispose of the device.</summary>
    internal void ReleaseGraph(nint executable)
    {
        lock (gate) // until the graph is freed, so that the context is not
        {
            if (IsDisposed || !graphs.Remove(executable)) return;
            api.CtxSetCurrent(context);
            api.GraphExecDestroy(executable);
        }
    }

    internal void Unload(nint module)
    {
        api.CtxSetCurrent(context);
        api.ModuleUnload(module);
    }

    /// <inheritdoc/>
    internal override GpuFunction Load(KernelSource source, KernelArtifact artifact, IArtifactSource keep)
    {
        Enter();
        return CudaModule.Load(this, source, artifact, keep);
    }

    /// <inheritdoc/>
    protected override long? FreeBytes => api.MemGetInfo(out nuint free, out _) == 0 ? (long)free : null;

    /// <inheritdoc/>
    protected override GpuBuffer? TryAllocate(long bytes, out string problem)
    {
        Enter();
        nuint size = (nuint)Math.Max(16, bytes);
        int error = Allocate(size, out nint address);
        if (error == CudaError.OutOfMemory && pool != 0)
        {
            api.StreamSynchronize(stream); // memory from queued frees and the pool may suffice
            api.MemPoolTrimTo(pool, 0);
            error = Allocate(size, out address);
        }

        string function = pool != 0 ? "cuMemAllocAsync" : "cuMemAlloc";
        problem = error == 0 ? "" : $"{function} failed with {CudaError.Name(api, error)}";
        if (error == CudaError.OutOfMemory) return null;
        Check(error, function);
        error = api.MemsetD8Async(address, 0, size, stream);
        if (error != 0) ReleaseMemory(address);
        Check(error, "cuMemsetD8Async");
        return new CudaBuffer(this, address, bytes);
    }

    /// <inheritdoc/>
    protected override void Read(GpuBuffer source, long offset, Span<byte> target)
    {
        Enter();
        fixed (byte* to = target)
        {
            Check(api.MemcpyDtoHAsync((nint)to, source.Handle + (nint)offset, (nuint)target.Length, stream), "cuMemcpyDtoHAsync");
            CheckWait(api.StreamSynchronize(stream), "cuStreamSynchronize");
        }
    }

    nint IDeviceQueue.AllocateStaging(int bytes)
    {
        Enter();
        Check(api.MemHostAlloc((nuint)bytes, 0, out nint memory), "cuMemHostAlloc");
        return memory;
    }

    void IDeviceQueue.FreeStaging(nint memory) => api.MemFreeHost(memory);

    void IDeviceQueue.QueueWrite(nint source, GpuBuffer target, long offset, int bytes)
    {
        Enter();
        Check(api.MemcpyHtoDAsync(target.Handle + (nint)offset, source, (nuint)bytes, stream), "cuMemcpyHtoDAsync");
    }

    nint IDeviceQueue.Mark() => Recorded(CreateEvent(timing: false));

    void IDeviceQueue.WaitAndRelease(nint mark)
    {
        try
        {
            Enter();
            CheckWait(api.EventSynchronize(mark), "cuEventSynchronize");
        }
        finally
        {
            DestroyEvent(mark);
        }
    }

    void IDeviceQueue.ReleaseMark(nint mark) => DestroyEvent(mark);

    /// <summary>Frees an event, whether or not it was waited for.</summary>
    internal void DestroyEvent(nint @event)
    {
        api.CtxSetCurrent(context);
        api.EventDestroy(@event);
    }

    private nint CreateEvent(bool timing)
    {
        Enter();
        Check(api.EventCreate(timing ? 0 : DisableTiming, out nint created), "cuEventCreate");
        return created;
    }

    private nint Recorded(nint mark)
    {
        int error = api.EventRecord(mark, stream);
        if (error != 0) DestroyEvent(mark);
        Check(error, "cuEventRecord");
        return mark;
    }

    private int Allocate(nuint bytes, out nint address) =>
        pool != 0 ? api.MemAllocAsync(bytes, stream, out address) : api.MemAlloc(bytes, out address);

    private void ReleaseMemory(nint address)
    {
        lock (gate)
        {
            api.CtxSetCurrent(context);
            if (pool != 0 && !IsDisposed) api.MemFreeAsync(address, stream);
            else api.MemFree(address);
        }
    }

    private sealed class CudaBuffer(CudaDevice device, nint address, long bytes) : GpuBuffer(device, address, bytes)
    {
        protected override void Free(nint handle) => device.ReleaseMemory(handle);
    }
}
