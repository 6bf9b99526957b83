namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// The functions of CUDA's driver API that the engine uses; each returns an error code, 0 for success. <see cref="CudaLibrary"/> calls the
/// driver; tests replace it by a stub.
/// </summary>
internal interface ICuda
{
    int Init();

    int DriverGetVersion(out int version);

    int DeviceGetCount(out int count);

    int DeviceGet(int ordinal, out int device);

    int DeviceGetName(nint text, int bytes, int device);

    int DeviceTotalMem(int device, out nuint bytes);

    int DeviceGetAttribute(int attribute, int device, out int value);

    int DevicePrimaryCtxRetain(int device, out nint context);

    int DevicePrimaryCtxRelease(int device);

    int CtxSetCurrent(nint context);

    int StreamCreate(uint flags, out nint stream);

    int StreamDestroy(nint stream);

    int StreamSynchronize(nint stream);

    int EventCreate(uint flags, out nint @event);

    int EventDestroy(nint @event);

    int EventRecord(nint @event, nint stream);

    int EventSynchronize(nint @event);

    int EventElapsedTime(nint start, nint end, out float milliseconds);

    int MemAlloc(nuint bytes, out nint address);

    int MemFree(nint address);

    int MemAllocAsync(nuint bytes, nint stream, out nint address);

    int MemFreeAsync(nint address, nint stream);

    int DeviceGetDefaultMemPool(int device, out nint pool);

    int MemPoolSetReleaseThreshold(nint pool, ulong bytes);

    int MemPoolTrimTo(nint pool, nuint bytes);

    int MemGetInfo(out nuint free, out nuint total);

    int MemHostAlloc(nuint bytes, uint flags, out nint memory);

    int MemFreeHost(nint memory);

    int MemcpyHtoDAsync(nint target, nint source, nuint bytes, nint stream);

    int MemcpyDtoHAsync(nint target, nint source, nuint bytes, nint stream);

    int MemsetD8Async(nint target, byte value, nuint bytes, nint stream);

    int ModuleLoadDataEx(nint image, uint options, nint names, nint values, out nint module);

    int ModuleUnload(nint module);

    int ModuleGetFunction(nint module, nint name, out nint function);

    int FuncSetAttribute(nint function, int attribute, int value);

    int LinkCreate(uint options, nint names, nint values, out nint state);

    int LinkAddData(nint state, int type, nint data, nuint bytes, nint name);

    int LinkComplete(nint state, out nint cubin, out nuint bytes);

    int LinkDestroy(nint state);

    int LaunchKernel(nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint sharedBytes, nint stream, nint parameters);

    int StreamBeginCapture(nint stream, int mode);

    int StreamEndCapture(nint stream, out nint graph);

    int GraphInstantiate(nint graph, out nint executable);

    int GraphExecUpdate(nint executable, nint graph);

    int GraphLaunch(nint executable, nint stream);

    int GraphExecDestroy(nint executable);

    int GraphDestroy(nint graph);

    int GetErrorName(int error, out nint text);
}
