using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>A device of an OpenCL driver: one context, one in-order queue.</summary>
internal sealed unsafe class OpenClDevice : GpuDevice, IDeviceQueue
{
    private readonly IOpenCl api;
    private readonly OpenClInfo info;
    private readonly nint openContext, openQueue; // accessed through properties, which throw once they are released
    private readonly GpuStaging staging;
    private readonly Lock gate = new();
    private readonly HashSet<nint> kernels = [];

    /// <summary>Opens a device.</summary>
    /// <param name="api">The driver.</param>
    /// <param name="info">Which device.</param>
    /// <param name="index">Its index in <see cref="OpenClInfo.All"/>.</param>
    /// <param name="artifacts">Source of compiled kernels.</param>
    /// <param name="stagingBytes">Size of each of the two chunks that uploads go through.</param>
    /// <param name="loggerFactory">Makes the device's loggers; null is <see cref="TraceLoggerFactory"/>.</param>
    /// <exception cref="DeviceException">It cannot be used.</exception>
    public OpenClDevice(IOpenCl api, OpenClInfo info, int index, IArtifactSource artifacts, int stagingBytes = GpuStaging.DefaultChunkBytes,
        ILoggerFactory? loggerFactory = null) : base(artifacts, loggerFactory)
    {
        (this.api, this.info, Id) = (api, info, $"opencl:{index}");
        if (info.Problem is { } problem) throw new DeviceException($"{Id} ({info.Name}) cannot be used: {problem}.") { Device = Id };
        Check(api.CreateContext(info.Handle, out openContext), "clCreateContext");
        int error = api.CreateCommandQueue(openContext, info.Handle, 0, out openQueue);
        if (error != 0) api.ReleaseContext(openContext);
        Check(error, "clCreateCommandQueue");
        staging = new GpuStaging(this, stagingBytes);
    }

    /// <inheritdoc/>
    public override string Id { get; }

    /// <inheritdoc/>
    public override string Name => info.Name;

    /// <inheritdoc/>
    public override Backends Backend => Backends.OpenCL;

    /// <inheritdoc/>
    public override GpuTarget Target => info.Target;

    /// <inheritdoc/>
    public override int Units => (int)info.ComputeUnits;

    /// <inheritdoc/>
    public override long MemoryBytes => info.MemoryBytes;

    /// <inheritdoc/>
    protected override IDeviceQueue? Queued => this;

    /// <inheritdoc/>
    protected override GpuStaging Staging => staging;

    internal IOpenCl Api => api;

    /// <exception cref="ObjectDisposedException">The device was disposed.</exception>
    internal nint Queue => Open(openQueue);

    internal int BaseAlignmentBytes => info.BaseAlignmentBytes;

    /// <inheritdoc/>
    public override void Dispose()
    {
        lock (gate)
        {
            if (IsDisposed) return;
            IsDisposed = true;
        }

        EndLoading();
        api.Finish(openQueue); // fails if the device is lost; its objects are freed nevertheless
        staging.Dispose();
        foreach (nint kernel in kernels) api.ReleaseKernel(kernel);
        kernels.Clear();
        foreach (var function in Functions) function.Unload();
        api.ReleaseCommandQueue(openQueue);
        api.ReleaseContext(openContext);
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        CheckWait(api.Finish(Queue), "clFinish");
        Synchronised();
    }

    /// <inheritdoc/>
    public override DeviceTiming StartTiming() => new OpenClTiming(this);

    /// <summary>A queue that records the start and end of kernels.</summary>
    internal nint CreateProfilingQueue()
    {
        const ulong Profiling = 2;
        Check(api.CreateCommandQueue(Context, info.Handle, Profiling, out nint created), "clCreateCommandQueue");
        return created;
    }

    /// <summary>Throws if a call failed.</summary>
    /// <param name="error">The driver's error code.</param>
    /// <param name="function">The driver's function.</param>
    /// <param name="what">The op that the call was for, if any.</param>
    internal void Check(int error, string function, string? what = null)
    {
        if (error == 0) return;
        string lost = OpenClError.IsLost(error) ? " The device is lost for this process: end it and start it again." : "";
        throw new DeviceException(
            $"{Id} ({info.Name}): {function} failed with {OpenClError.Name(error)}{(what is null ? "" : $" in {what}")}.{lost}")
        {
            Device =
                Id,
            Op = what
        };
    }

    /// <summary>As <see cref="Check"/>, for calls that wait for queued work.</summary>
    internal void CheckWait(int error, string function)
    {
        if (error != 0) Check(error, function, Unfinished);
    }

    /// <summary>A kernel object per launch, since arguments belong to the object.</summary>
    internal nint CreateKernel(nint program, string entry)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(entry + '\0'))
        {
            Check(api.CreateKernel(program, (nint)name, out nint kernel), "clCreateKernel", entry);
            lock (gate) kernels.Add(kernel);
            return kernel;
        }
    }

    /// <summary>Frees a launch's kernel object, unless the device already has.</summary>
    internal void ReleaseKernel(nint kernel)
    {
        lock (gate)
        {
            if (!IsDisposed && kernels.Remove(kernel)) api.ReleaseKernel(kernel);
        }
    }

    /// <summary>Frees memory; the driver keeps it while queued work needs it, and the context while there is memory.</summary>
    internal void ReleaseMemory(nint buffer) => api.ReleaseMemObject(buffer);

    /// <inheritdoc/>
    internal override GpuFunction Load(KernelSource source, KernelArtifact artifact, IArtifactSource keep) =>
        new OpenClFunction(this, source, artifact, OpenClProgram.Build(this, Context, info, source, artifact, keep));

    /// <inheritdoc/>
    protected override GpuBuffer? TryAllocate(long bytes, out string problem)
    {
        problem = $"the driver allows {info.MaxAllocationBytes >> 20} MiB per allocation";
        if (bytes > info.MaxAllocationBytes) return null;
        nuint size = (nuint)Math.Max(4, (bytes + 3) / 4 * 4);
        int error = api.CreateBuffer(Context, 1, size, out nint handle);
        problem = $"clCreateBuffer failed with {OpenClError.Name(error)}";
        if (OpenClError.IsOutOfMemory(error)) return null;
        Check(error, "clCreateBuffer");
        uint zero = 0;
        error = api.EnqueueFillBuffer(Queue, handle, (nint)(&zero), 4, 0, size);
        if (error != 0) api.ReleaseMemObject(handle);
        problem = $"clEnqueueFillBuffer failed with {OpenClError.Name(error)}";
        if (OpenClError.IsOutOfMemory(error)) return null; // some drivers allocate on first use
        Check(error, "clEnqueueFillBuffer");
        return new OpenClBuffer(this, handle, bytes);
    }

    /// <inheritdoc/>
    protected override void Read(GpuBuffer source, long offset, Span<byte> target)
    {
        fixed (byte* to = target)
            CheckWait(api.EnqueueReadBuffer(Queue, source.Handle, true, (nuint)offset, (nuint)target.Length, (nint)to),
                "clEnqueueReadBuffer");
    }

    // drivers copy fastest from page-aligned memory
    nint IDeviceQueue.AllocateStaging(int bytes) => (nint)NativeMemory.AlignedAlloc((nuint)bytes, 4096);

    void IDeviceQueue.FreeStaging(nint memory) => NativeMemory.AlignedFree((void*)memory);

    void IDeviceQueue.QueueWrite(nint source, GpuBuffer target, long offset, int bytes) =>
        Check(api.EnqueueWriteBuffer(Queue, target.Handle, false, (nuint)offset, (nuint)bytes, source), "clEnqueueWriteBuffer");

    nint IDeviceQueue.Mark()
    {
        Check(api.EnqueueMarker(Queue, out nint mark), "clEnqueueMarkerWithWaitList");
        api.Flush(Queue);
        return mark;
    }

    void IDeviceQueue.WaitAndRelease(nint mark)
    {
        int error = api.WaitForEvent(mark);
        api.ReleaseEvent(mark);
        CheckWait(error, "clWaitForEvents");
    }

    void IDeviceQueue.ReleaseMark(nint mark) => api.ReleaseEvent(mark);

    private nint Context => Open(openContext);

    private nint Open(nint handle)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        return handle;
    }

    private sealed class OpenClBuffer(OpenClDevice device, nint handle, long bytes) : GpuBuffer(device, handle, bytes)
    {
        protected override void Free(nint handle) => ((OpenClDevice)Device).ReleaseMemory(handle);
    }
}
