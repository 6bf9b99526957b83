using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// The NVIDIA driver library as a table of function pointers. It is bound when loaded, so a machine without it works. Functions missing in
/// old drivers return "not found", which callers treat as "not supported".
/// </summary>
internal sealed unsafe class CudaLibrary : ICuda
{
    private readonly nint library;
    private readonly delegate* unmanaged<uint, int> init;
    private readonly delegate* unmanaged<int*, int> driverGetVersion, deviceGetCount;
    private readonly delegate* unmanaged<int*, int, int> deviceGet;
    private readonly delegate* unmanaged<nint, int, int, int> deviceGetName;
    private readonly delegate* unmanaged<nuint*, int, int> deviceTotalMem;
    private readonly delegate* unmanaged<int*, int, int, int> deviceGetAttribute;
    private readonly delegate* unmanaged<nint*, int, int> primaryCtxRetain, deviceGetDefaultMemPool;
    private readonly delegate* unmanaged<int, int> primaryCtxRelease;
    private readonly delegate* unmanaged<nint, int> ctxSetCurrent, streamDestroy, streamSynchronize, eventDestroy, eventSynchronize,
        memFree, memFreeHost, moduleUnload, linkDestroy, graphExecDestroy, graphDestroy;
    private readonly delegate* unmanaged<nint*, uint, int> streamCreate, eventCreate;
    private readonly delegate* unmanaged<nint, nint, int> eventRecord, memFreeAsync, graphLaunch;
    private readonly delegate* unmanaged<float*, nint, nint, int> eventElapsedTime;
    private readonly delegate* unmanaged<nint*, nuint, int> memAlloc;
    private readonly delegate* unmanaged<nint*, nuint, nint, int> memAllocAsync;
    private readonly delegate* unmanaged<nint, int, void*, int> memPoolSetAttribute;
    private readonly delegate* unmanaged<nint, nuint, int> memPoolTrimTo;
    private readonly delegate* unmanaged<nuint*, nuint*, int> memGetInfo;
    private readonly delegate* unmanaged<nint*, nuint, uint, int> memHostAlloc;
    private readonly delegate* unmanaged<nint, nint, nuint, nint, int> memcpyHtoDAsync, memcpyDtoHAsync;
    private readonly delegate* unmanaged<nint, byte, nuint, nint, int> memsetD8Async;
    private readonly delegate* unmanaged<nint*, nint, uint, nint, nint, int> moduleLoadDataEx;
    private readonly delegate* unmanaged<nint*, nint, nint, int> moduleGetFunction;
    private readonly delegate* unmanaged<nint, int, int, int> funcSetAttribute;
    private readonly delegate* unmanaged<uint, nint, nint, nint*, int> linkCreate;
    private readonly delegate* unmanaged<nint, int, nint, nuint, nint, uint, nint, nint, int> linkAddData;
    private readonly delegate* unmanaged<nint, nint*, nuint*, int> linkComplete;
    private readonly delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, nint, nint, int> launchKernel;
    private readonly delegate* unmanaged<nint, int, int> streamBeginCapture;
    private readonly delegate* unmanaged<nint, nint*, int> streamEndCapture;
    private readonly delegate* unmanaged<nint*, nint, ulong, int> graphInstantiateWithFlags;
    private readonly delegate* unmanaged<nint, nint, void*, int> graphExecUpdate2;
    private readonly delegate* unmanaged<nint, nint, nint*, int*, int> graphExecUpdate;
    private readonly delegate* unmanaged<int, nint*, int> getErrorName;

    private CudaLibrary(nint library)
    {
        this.library = library;
        init = (delegate* unmanaged<uint, int>)Need("cuInit");
        driverGetVersion = (delegate* unmanaged<int*, int>)Need("cuDriverGetVersion");
        deviceGetCount = (delegate* unmanaged<int*, int>)Need("cuDeviceGetCount");
        deviceGet = (delegate* unmanaged<int*, int, int>)Need("cuDeviceGet");
        deviceGetName = (delegate* unmanaged<nint, int, int, int>)Need("cuDeviceGetName");
        deviceTotalMem = (delegate* unmanaged<nuint*, int, int>)Need("cuDeviceTotalMem_v2");
        deviceGetAttribute = (delegate* unmanaged<int*, int, int, int>)Need("cuDeviceGetAttribute");
        primaryCtxRetain = (delegate* unmanaged<nint*, int, int>)Need("cuDevicePrimaryCtxRetain");
        primaryCtxRelease = (delegate* unmanaged<int, int>)Need("cuDevicePrimaryCtxRelease_v2");
        ctxSetCurrent = (delegate* unmanaged<nint, int>)Need("cuCtxSetCurrent");
        streamCreate = (delegate* unmanaged<nint*, uint, int>)Need("cuStreamCreate");
        streamDestroy = (delegate* unmanaged<nint, int>)Need("cuStreamDestroy_v2");
        streamSynchronize = (delegate* unmanaged<nint, int>)Need("cuStreamSynchronize");
        eventCreate = (delegate* unmanaged<nint*, uint, int>)Need("cuEventCreate");
        eventDestroy = (delegate* unmanaged<nint, int>)Need("cuEventDestroy_v2");
        eventRecord = (delegate* unmanaged<nint, nint, int>)Need("cuEventRecord");
        eventSynchronize = (delegate* unmanaged<nint, int>)Need("cuEventSynchronize");
        eventElapsedTime = (delegate* unmanaged<float*, nint, nint, int>)Need("cuEventElapsedTime");
        memAlloc = (delegate* unmanaged<nint*, nuint, int>)Need("cuMemAlloc_v2");
        memFree = (delegate* unmanaged<nint, int>)Need("cuMemFree_v2");
        memAllocAsync = (delegate* unmanaged<nint*, nuint, nint, int>)Find("cuMemAllocAsync"); // from driver 11.2
        memFreeAsync = (delegate* unmanaged<nint, nint, int>)Find("cuMemFreeAsync");
        deviceGetDefaultMemPool = (delegate* unmanaged<nint*, int, int>)Find("cuDeviceGetDefaultMemPool");
        memPoolSetAttribute = (delegate* unmanaged<nint, int, void*, int>)Find("cuMemPoolSetAttribute");
        memPoolTrimTo = (delegate* unmanaged<nint, nuint, int>)Find("cuMemPoolTrimTo");
        memGetInfo = (delegate* unmanaged<nuint*, nuint*, int>)Need("cuMemGetInfo_v2");
        memHostAlloc = (delegate* unmanaged<nint*, nuint, uint, int>)Need("cuMemHostAlloc");
        memFreeHost = (delegate* unmanaged<nint, int>)Need("cuMemFreeHost");
        memcpyHtoDAsync = (delegate* unmanaged<nint, nint, nuint, nint, int>)Need("cuMemcpyHtoDAsync_v2");
        memcpyDtoHAsync = (delegate* unmanaged<nint, nint, nuint, nint, int>)Need("cuMemcpyDtoHAsync_v2");
        memsetD8Async = (delegate* unmanaged<nint, byte, nuint, nint, int>)Need("cuMemsetD8Async");
        moduleLoadDataEx = (delegate* unmanaged<nint*, nint, uint, nint, nint, int>)Need("cuModuleLoadDataEx");
        moduleUnload = (delegate* unmanaged<nint, int>)Need("cuModuleUnload");
        moduleGetFunction = (delegate* unmanaged<nint*, nint, nint, int>)Need("cuModuleGetFunction");
        funcSetAttribute = (delegate* unmanaged<nint, int, int, int>)Need("cuFuncSetAttribute");
        linkCreate = (delegate* unmanaged<uint, nint, nint, nint*, int>)Need("cuLinkCreate_v2");
        linkAddData = (delegate* unmanaged<nint, int, nint, nuint, nint, uint, nint, nint, int>)Need("cuLinkAddData_v2");
        linkComplete = (delegate* unmanaged<nint, nint*, nuint*, int>)Need("cuLinkComplete");
        linkDestroy = (delegate* unmanaged<nint, int>)Need("cuLinkDestroy");
        launchKernel = (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, nint, nint, int>)Need("cuLaunchKernel");
        streamBeginCapture = (delegate* unmanaged<nint, int, int>)Need("cuStreamBeginCapture_v2");
        streamEndCapture = (delegate* unmanaged<nint, nint*, int>)Need("cuStreamEndCapture");
        graphInstantiateWithFlags = (delegate* unmanaged<nint*, nint, ulong, int>)Need("cuGraphInstantiateWithFlags");
        graphExecUpdate2 = (delegate* unmanaged<nint, nint, void*, int>)Find("cuGraphExecUpdate_v2"); // from driver 12.0
        graphExecUpdate = (delegate* unmanaged<nint, nint, nint*, int*, int>)Find("cuGraphExecUpdate");
        graphLaunch = (delegate* unmanaged<nint, nint, int>)Need("cuGraphLaunch");
        graphExecDestroy = (delegate* unmanaged<nint, int>)Need("cuGraphExecDestroy");
        graphDestroy = (delegate* unmanaged<nint, int>)Need("cuGraphDestroy");
        getErrorName = (delegate* unmanaged<int, nint*, int>)Need("cuGetErrorName");
    }

    /// <summary>Loads the driver library, or reports why it cannot.</summary>
    /// <param name="problem">What is missing.</param>
    /// <param name="path">A library other than the system's, for tests.</param>
    public static CudaLibrary? TryLoad(out string? problem, string? path = null) =>
        GpuLibrary.TryLoad(
            path is not null ? [path] : Names, "CUDA", "An NVIDIA GPU needs NVIDIA's driver.", handle => new CudaLibrary(handle),
                out problem);

    private static string[] Names => OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"];

    public int Init() => init(0);

    public int DriverGetVersion(out int version)
    {
        fixed (int* v = &version) return driverGetVersion(v);
    }

    public int DeviceGetCount(out int count)
    {
        fixed (int* c = &count) return deviceGetCount(c);
    }

    public int DeviceGet(int ordinal, out int device)
    {
        fixed (int* d = &device) return deviceGet(d, ordinal);
    }

    public int DeviceGetName(nint text, int bytes, int device) => deviceGetName(text, bytes, device);

    public int DeviceTotalMem(int device, out nuint bytes)
    {
        fixed (nuint* b = &bytes) return deviceTotalMem(b, device);
    }

    public int DeviceGetAttribute(int attribute, int device, out int value)
    {
        fixed (int* v = &value) return deviceGetAttribute(v, attribute, device);
    }

    public int DevicePrimaryCtxRetain(int device, out nint context)
    {
        fixed (nint* c = &context) return primaryCtxRetain(c, device);
    }

    public int DevicePrimaryCtxRelease(int device) => primaryCtxRelease(device);

    public int CtxSetCurrent(nint context) => ctxSetCurrent(context);

    public int StreamCreate(uint flags, out nint stream)
    {
        fixed (nint* s = &stream) return streamCreate(s, flags);
    }

    public int StreamDestroy(nint stream) => streamDestroy(stream);

    public int StreamSynchronize(nint stream) => streamSynchronize(stream);

    public int EventCreate(uint flags, out nint @event)
    {
        fixed (nint* e = &@event) return eventCreate(e, flags);
    }

    public int EventDestroy(nint @event) => eventDestroy(@event);

    public int EventRecord(nint @event, nint stream) => eventRecord(@event, stream);

    public int EventSynchronize(nint @event) => eventSynchronize(@event);

    public int EventElapsedTime(nint start, nint end, out float milliseconds)
    {
        fixed (float* m = &milliseconds) return eventElapsedTime(m, start, end);
    }

    public int MemAlloc(nuint bytes, out nint address)
    {
        fixed (nint* a = &address) return memAlloc(a, bytes);
    }

    public int MemFree(nint address) => memFree(address);

    public int MemAllocAsync(nuint bytes, nint stream, out nint address)
    {
        fixed (nint* a = &address) return memAllocAsync is null ? Missing(out address) : memAllocAsync(a, bytes, stream);
    }

    public int MemFreeAsync(nint address, nint stream) => memFreeAsync is null ? CudaError.NotFound : memFreeAsync(address, stream);

    public int DeviceGetDefaultMemPool(int device, out nint pool)
    {
        fixed (nint* p = &pool) return deviceGetDefaultMemPool is null ? Missing(out pool) : deviceGetDefaultMemPool(p, device);
    }

    public int MemPoolSetReleaseThreshold(nint pool, ulong bytes)
    {
        const int ReleaseThreshold = 4;
        return memPoolSetAttribute is null ? CudaError.NotFound : memPoolSetAttribute(pool, ReleaseThreshold, &bytes);
    }

    public int MemPoolTrimTo(nint pool, nuint bytes) => memPoolTrimTo is null ? CudaError.NotFound : memPoolTrimTo(pool, bytes);

    public int MemGetInfo(out nuint free, out nuint total)
    {
        fixed (nuint* f = &free, t = &total) return memGetInfo(f, t);
    }

    public int MemHostAlloc(nuint bytes, uint flags, out nint memory)
    {
        fixed (nint* m = &memory) return memHostAlloc(m, bytes, flags);
    }

    public int MemFreeHost(nint memory) => memFreeHost(memory);

    public int MemcpyHtoDAsync(nint target, nint source, nuint bytes, nint stream) => memcpyHtoDAsync(target, source, bytes, stream);

    public int MemcpyDtoHAsync(nint target, nint source, nuint bytes, nint stream) => memcpyDtoHAsync(target, source, bytes, stream);

    public int MemsetD8Async(nint target, byte value, nuint bytes, nint stream) => memsetD8Async(target, value, bytes, stream);

    public int ModuleLoadDataEx(nint image, uint options, nint names, nint values, out nint module)
    {
        fixed (nint* m = &module) return moduleLoadDataEx(m, image, options, names, values);
    }

    public int ModuleUnload(nint module) => moduleUnload(module);

    public int ModuleGetFunction(nint module, nint name, out nint function)
    {
        fixed (nint* f = &function) return moduleGetFunction(f, module, name);
    }

    public int FuncSetAttribute(nint function, int attribute, int value) => funcSetAttribute(function, attribute, value);

    public int LinkCreate(uint options, nint names, nint values, out nint state)
    {
        fixed (nint* s = &state) return linkCreate(options, names, values, s);
    }

    public int LinkAddData(nint state, int type, nint data, nuint bytes, nint name) => linkAddData(state, type, data, bytes, name, 0, 0, 0);

    public int LinkComplete(nint state, out nint cubin, out nuint bytes)
    {
        fixed (nint* c = &cubin)
        fixed (nuint* b = &bytes) return linkComplete(state, c, b);
    }

    public int LinkDestroy(nint state) => linkDestroy(state);

    public int LaunchKernel(nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint sharedBytes, nint stream,
        nint parameters) =>
        launchKernel(function, gridX, gridY, gridZ, blockX, 1, 1, sharedBytes, stream, parameters, 0);

    public int StreamBeginCapture(nint stream, int mode) => streamBeginCapture(stream, mode);

    public int StreamEndCapture(nint stream, out nint graph)
    {
        fixed (nint* g = &graph) return streamEndCapture(stream, g);
    }

    public int GraphInstantiate(nint graph, out nint executable)
    {
        fixed (nint* e = &executable) return graphInstantiateWithFlags(e, graph, 0);
    }

    public int GraphExecUpdate(nint executable, nint graph)
    {
        long* information = stackalloc long[4]; // {int result; node; node}: only the code that is returned matters
        if (graphExecUpdate2 is not null) return graphExecUpdate2(executable, graph, information);
        return graphExecUpdate is null ? CudaError.NotFound
            : graphExecUpdate(executable, graph, (nint*)information, (int*)(information + 1));
    }

    public int GraphLaunch(nint executable, nint stream) => graphLaunch(executable, stream);

    public int GraphExecDestroy(nint executable) => graphExecDestroy(executable);

    public int GraphDestroy(nint graph) => graphDestroy(graph);

    public int GetErrorName(int error, out nint text)
    {
        fixed (nint* t = &text) return getErrorName(error, t);
    }

    private static int Missing(out nint value)
    {
        value = 0;
        return CudaError.NotFound;
    }

    private nint Need(string name) => NativeLibrary.GetExport(library, name);

    private nint Find(string name) => NativeLibrary.TryGetExport(library, name, out nint address) ? address : 0;
}
