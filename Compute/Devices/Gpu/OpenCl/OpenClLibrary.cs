using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// The system's OpenCL library as a table of function pointers. It is bound in <see cref="TryLoad"/>, so a machine without OpenCL works.
/// </summary>
internal sealed unsafe class OpenClLibrary : IOpenCl
{
    private readonly delegate* unmanaged<uint, nint, uint*, int> getPlatformIds;
    private readonly delegate* unmanaged<nint, uint, nuint, nint, nuint*, int> getPlatformInfo, getDeviceInfo, getProgramInfo;
    private readonly delegate* unmanaged<nint, ulong, uint, nint, uint*, int> getDeviceIds;
    private readonly delegate* unmanaged<nint, uint, nint*, nint, nint, int*, nint> createContext;
    private readonly delegate* unmanaged<nint, nint, ulong, int*, nint> createCommandQueue;
    private readonly delegate* unmanaged<nint, ulong, nuint, nint, int*, nint> createBuffer;
    private readonly delegate* unmanaged<nint, ulong, uint, nuint*, int*, nint> createSubBuffer;
    private readonly delegate* unmanaged<nint, int> releaseContext, releaseCommandQueue, releaseMemObject, releaseProgram, releaseKernel,
        releaseEvent, flush, finish;
    private readonly delegate* unmanaged<nint, nint, uint, nuint, nuint, nint, uint, nint, nint, int> enqueueWriteBuffer, enqueueReadBuffer;
    private readonly delegate* unmanaged<nint, nint, nint, nuint, nuint, nuint, uint, nint, nint, int> enqueueFillBuffer;
    private readonly delegate* unmanaged<nint, uint, nint*, nuint*, int*, nint> createProgramWithSource;
    private readonly delegate* unmanaged<nint, uint, nint*, nuint*, nint*, int*, int*, nint> createProgramWithBinary;
    private readonly delegate* unmanaged<nint, uint, nint*, nint, nint, nint, int> buildProgram;
    private readonly delegate* unmanaged<nint, nint, uint, nuint, nint, nuint*, int> getProgramBuildInfo;
    private readonly delegate* unmanaged<nint, nint, int*, nint> createKernel;
    private readonly delegate* unmanaged<nint, uint, nuint, nint, int> setKernelArg;
    private readonly delegate* unmanaged<nint, nint, uint, nint, nint, nint, uint, nint, nint, int> enqueueNDRangeKernel;
    private readonly delegate* unmanaged<nint, uint, nint, nint*, int> enqueueMarkerWithWaitList;
    private readonly delegate* unmanaged<uint, nint*, int> waitForEvents;
    private readonly delegate* unmanaged<nint, uint, nuint, void*, nuint*, int> getEventProfilingInfo;

    private OpenClLibrary(nint library)
    {
        nint At(string name) => NativeLibrary.GetExport(library, name);
        getPlatformIds = (delegate* unmanaged<uint, nint, uint*, int>)At("clGetPlatformIDs");
        getPlatformInfo = (delegate* unmanaged<nint, uint, nuint, nint, nuint*, int>)At("clGetPlatformInfo");
        getDeviceIds = (delegate* unmanaged<nint, ulong, uint, nint, uint*, int>)At("clGetDeviceIDs");
        getDeviceInfo = (delegate* unmanaged<nint, uint, nuint, nint, nuint*, int>)At("clGetDeviceInfo");
        createContext = (delegate* unmanaged<nint, uint, nint*, nint, nint, int*, nint>)At("clCreateContext");
        releaseContext = (delegate* unmanaged<nint, int>)At("clReleaseContext");
        createCommandQueue = (delegate* unmanaged<nint, nint, ulong, int*, nint>)At("clCreateCommandQueue");
        releaseCommandQueue = (delegate* unmanaged<nint, int>)At("clReleaseCommandQueue");
        createBuffer = (delegate* unmanaged<nint, ulong, nuint, nint, int*, nint>)At("clCreateBuffer");
        createSubBuffer = (delegate* unmanaged<nint, ulong, uint, nuint*, int*, nint>)At("clCreateSubBuffer");
        releaseMemObject = (delegate* unmanaged<nint, int>)At("clReleaseMemObject");
        enqueueWriteBuffer = (delegate* unmanaged<nint, nint, uint, nuint, nuint, nint, uint, nint, nint, int>)At("clEnqueueWriteBuffer");
        enqueueReadBuffer = (delegate* unmanaged<nint, nint, uint, nuint, nuint, nint, uint, nint, nint, int>)At("clEnqueueReadBuffer");
        enqueueFillBuffer = (delegate* unmanaged<nint, nint, nint, nuint, nuint, nuint, uint, nint, nint, int>)At("clEnqueueFillBuffer");
        createProgramWithSource = (delegate* unmanaged<nint, uint, nint*, nuint*, int*, nint>)At("clCreateProgramWithSource");
        createProgramWithBinary = (delegate* unmanaged<nint, uint, nint*, nuint*, nint*, int*, int*, nint>)At("clCreateProgramWithBinary");
        buildProgram = (delegate* unmanaged<nint, uint, nint*, nint, nint, nint, int>)At("clBuildProgram");
        getProgramBuildInfo = (delegate* unmanaged<nint, nint, uint, nuint, nint, nuint*, int>)At("clGetProgramBuildInfo");
        getProgramInfo = (delegate* unmanaged<nint, uint, nuint, nint, nuint*, int>)At("clGetProgramInfo");
        releaseProgram = (delegate* unmanaged<nint, int>)At("clReleaseProgram");
        createKernel = (delegate* unmanaged<nint, nint, int*, nint>)At("clCreateKernel");
        setKernelArg = (delegate* unmanaged<nint, uint, nuint, nint, int>)At("clSetKernelArg");
        releaseKernel = (delegate* unmanaged<nint, int>)At("clReleaseKernel");
        enqueueNDRangeKernel = (delegate* unmanaged<nint, nint, uint, nint, nint, nint, uint, nint, nint, int>)At("clEnqueueNDRangeKernel");
        enqueueMarkerWithWaitList = (delegate* unmanaged<nint, uint, nint, nint*, int>)At("clEnqueueMarkerWithWaitList");
        waitForEvents = (delegate* unmanaged<uint, nint*, int>)At("clWaitForEvents");
        getEventProfilingInfo = (delegate* unmanaged<nint, uint, nuint, void*, nuint*, int>)At("clGetEventProfilingInfo");
        releaseEvent = (delegate* unmanaged<nint, int>)At("clReleaseEvent");
        flush = (delegate* unmanaged<nint, int>)At("clFlush");
        finish = (delegate* unmanaged<nint, int>)At("clFinish");
    }

    /// <summary>Loads the library, or reports why it cannot.</summary>
    /// <param name="problem">What is missing, and how to install it.</param>
    /// <param name="path">A library other than the system's, for tests.</param>
    public static OpenClLibrary? TryLoad(out string? problem, string? path = null)
    {
        PoclSettings.Apply();
        return GpuLibrary.TryLoad(
            path is not null ? [path] : Names, "OpenCL", OpenClAbsence.NoLoader, handle => new OpenClLibrary(handle), out problem);
    }

    private static string[] Names => OperatingSystem.IsWindows() ? ["OpenCL.dll"]
        : OperatingSystem.IsMacOS() ? ["/System/Library/Frameworks/OpenCL.framework/OpenCL"]
        : ["libOpenCL.so.1", "libOpenCL.so"];

    public int GetPlatformIds(uint entries, nint platforms, out uint count)
    {
        fixed (uint* c = &count) return getPlatformIds(entries, platforms, c);
    }

    public int GetPlatformInfo(nint platform, uint name, nuint bytes, nint value, out nuint needed)
    {
        fixed (nuint* n = &needed) return getPlatformInfo(platform, name, bytes, value, n);
    }

    public int GetDeviceIds(nint platform, ulong type, uint entries, nint devices, out uint count)
    {
        fixed (uint* c = &count) return getDeviceIds(platform, type, entries, devices, c);
    }

    public int GetDeviceInfo(nint device, uint name, nuint bytes, nint value, out nuint needed)
    {
        fixed (nuint* n = &needed) return getDeviceInfo(device, name, bytes, value, n);
    }

    public int CreateContext(nint device, out nint context)
    {
        int error;
        context = createContext(0, 1, &device, 0, 0, &error);
        return error;
    }

    public int ReleaseContext(nint context) => releaseContext(context);

    public int CreateCommandQueue(nint context, nint device, ulong properties, out nint queue)
    {
        int error;
        queue = createCommandQueue(context, device, properties, &error);
        return error;
    }

    public int ReleaseCommandQueue(nint queue) => releaseCommandQueue(queue);

    public int CreateBuffer(nint context, ulong flags, nuint bytes, out nint buffer)
    {
        int error;
        buffer = createBuffer(context, flags, bytes, 0, &error);
        return error;
    }

    public int CreateSubBuffer(nint buffer, ulong flags, nuint offset, nuint bytes, out nint subBuffer)
    {
        const uint Region = 0x1220;
        nuint* region = stackalloc nuint[] { offset, bytes };
        int error;
        subBuffer = createSubBuffer(buffer, flags, Region, region, &error);
        return error;
    }

    public int ReleaseMemObject(nint buffer) => releaseMemObject(buffer);

    public int EnqueueWriteBuffer(nint queue, nint buffer, bool blocking, nuint offset, nuint bytes, nint source) =>
        enqueueWriteBuffer(queue, buffer, blocking ? 1u : 0u, offset, bytes, source, 0, 0, 0);

    public int EnqueueReadBuffer(nint queue, nint buffer, bool blocking, nuint offset, nuint bytes, nint target) =>
        enqueueReadBuffer(queue, buffer, blocking ? 1u : 0u, offset, bytes, target, 0, 0, 0);

    public int EnqueueFillBuffer(nint queue, nint buffer, nint pattern, nuint patternBytes, nuint offset, nuint bytes) =>
        enqueueFillBuffer(queue, buffer, pattern, patternBytes, offset, bytes, 0, 0, 0);

    public int CreateProgramWithSource(nint context, nint text, nuint bytes, out nint program)
    {
        int error;
        program = createProgramWithSource(context, 1, &text, &bytes, &error);
        return error;
    }

    public int CreateProgramWithBinary(nint context, nint device, nint binary, nuint bytes, out nint program)
    {
        int status = 0, error;
        program = createProgramWithBinary(context, 1, &device, &bytes, &binary, &status, &error);
        return error != 0 ? error : status;
    }

    public int BuildProgram(nint program, nint device, nint options) => buildProgram(program, 1, &device, options, 0, 0);

    public int GetProgramBuildInfo(nint program, nint device, uint name, nuint bytes, nint value, out nuint needed)
    {
        fixed (nuint* n = &needed) return getProgramBuildInfo(program, device, name, bytes, value, n);
    }

    public int GetProgramInfo(nint program, uint name, nuint bytes, nint value, out nuint needed)
    {
        fixed (nuint* n = &needed) return getProgramInfo(program, name, bytes, value, n);
    }

    public int ReleaseProgram(nint program) => releaseProgram(program);

    public int CreateKernel(nint program, nint name, out nint kernel)
    {
        int error;
        kernel = createKernel(program, name, &error);
        return error;
    }

    public int SetKernelArg(nint kernel, uint index, nuint bytes, nint value) => setKernelArg(kernel, index, bytes, value);

    public int ReleaseKernel(nint kernel) => releaseKernel(kernel);

    public int EnqueueNDRangeKernel(nint queue, nint kernel, uint dimensions, nint globalSizes, nint localSizes) =>
        enqueueNDRangeKernel(queue, kernel, dimensions, 0, globalSizes, localSizes, 0, 0, 0);

    public int EnqueueTimedKernel(nint queue, nint kernel, uint dimensions, nint globalSizes, nint localSizes, out nint @event)
    {
        fixed (nint* e = &@event) return enqueueNDRangeKernel(queue, kernel, dimensions, 0, globalSizes, localSizes, 0, 0, (nint)e);
    }

    public int EnqueueMarker(nint queue, out nint @event)
    {
        fixed (nint* e = &@event) return enqueueMarkerWithWaitList(queue, 0, 0, e);
    }

    public int WaitForEvent(nint @event) => waitForEvents(1, &@event);

    public int GetEventProfilingInfo(nint @event, uint name, out ulong nanoseconds)
    {
        fixed (ulong* value = &nanoseconds) return getEventProfilingInfo(@event, name, sizeof(ulong), value, null);
    }

    public int ReleaseEvent(nint @event) => releaseEvent(@event);

    public int Flush(nint queue) => flush(queue);

    public int Finish(nint queue) => finish(queue);
}
