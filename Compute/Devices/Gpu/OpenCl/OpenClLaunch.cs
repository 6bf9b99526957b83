namespace ILGpuDiffusion.Compute.Devices;

/// <summary>A kernel object with its arguments set: running it is one driver call.</summary>
internal sealed unsafe class OpenClLaunch : Launch
{
    private readonly OpenClFunction function;
    private readonly OpenClDevice device;
    private readonly ILaunchSubject? subject;
    private readonly nuint[] sizes = GC.AllocateUninitializedArray<nuint>(6, pinned: true); // global, then local
    private readonly List<nint> subBuffers = [];
    private readonly nint sizesAt;

    public OpenClLaunch(OpenClFunction function, OpenClDevice device, nint kernel, GpuGrid grid, ILaunchSubject? subject)
    {
        (this.function, this.device, Kernel, this.subject) = (function, device, kernel, subject);
        nuint group = (nuint)function.Artifact.GroupSize;
        (sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]) = ((nuint)grid.X * group, (nuint)grid.Y, (nuint)grid.Z, group, 1, 1);
        fixed (nuint* at = sizes) sizesAt = (nint)at;
    }

    /// <summary>Frees the kernel object of an abandoned plan.</summary>
    ~OpenClLaunch()
    {
        device.ReleaseKernel(Kernel);
        foreach (nint buffer in subBuffers) device.ReleaseMemory(buffer);
    }

    /// <summary>The kernel object.</summary>
    public nint Kernel { get; }

    /// <inheritdoc/>
    public override void Run()
    {
        int error = OpenClTiming.On(device) is { } timing ? timing.Enqueue(Kernel, 3, sizesAt, sizesAt + 3 * sizeof(nuint))
            : device.Api.EnqueueNDRangeKernel(device.Queue, Kernel, 3, sizesAt, sizesAt + 3 * sizeof(nuint));
        if (error != 0) device.Check(error, "clEnqueueNDRangeKernel", ToString());
        device.Last = this;
        GC.KeepAlive(this); // the finalizer must not run under the call
    }

    /// <inheritdoc/>
    public override string ToString() => function.Describe(subject);

    /// <summary>The memory object to pass for a view. Kernels have 32-bit offsets: views beyond that use a sub-buffer.</summary>
    internal nint Memory(ref GpuView view, int elementBytes)
    {
        if (view.Buffer is null) return 0;
        if (view.Offset + view.Length <= int.MaxValue) return view.Buffer.Handle;
        long offset = view.Offset * elementBytes, start = offset / device.BaseAlignmentBytes * device.BaseAlignmentBytes,
            bytes = offset - start + view.Length * elementBytes;
        device.Check(device.Api.CreateSubBuffer(view.Buffer.Handle, 1, (nuint)start, (nuint)bytes, out nint part), "clCreateSubBuffer",
            function.Describe(subject));
        subBuffers.Add(part);
        view = view with { Offset = (offset - start) / elementBytes };
        return part;
    }
}
