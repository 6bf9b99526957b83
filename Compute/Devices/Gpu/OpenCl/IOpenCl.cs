namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// The functions of OpenCL 1.2 that the engine uses, with the driver's signatures; each returns an error code, 0 for success.
/// <see cref="OpenClLibrary"/> calls the driver; tests intercept the calls.
/// </summary>
internal interface IOpenCl
{
    int GetPlatformIds(uint entries, nint platforms, out uint count);

    int GetPlatformInfo(nint platform, uint name, nuint bytes, nint value, out nuint needed);

    int GetDeviceIds(nint platform, ulong type, uint entries, nint devices, out uint count);

    int GetDeviceInfo(nint device, uint name, nuint bytes, nint value, out nuint needed);

    int CreateContext(nint device, out nint context);

    int ReleaseContext(nint context);

    int CreateCommandQueue(nint context, nint device, ulong properties, out nint queue);

    int ReleaseCommandQueue(nint queue);

    int CreateBuffer(nint context, ulong flags, nuint bytes, out nint buffer);

    int CreateSubBuffer(nint buffer, ulong flags, nuint offset, nuint bytes, out nint subBuffer);

    int ReleaseMemObject(nint buffer);

    int EnqueueWriteBuffer(nint queue, nint buffer, bool blocking, nuint offset, nuint bytes, nint source);

    int EnqueueReadBuffer(nint queue, nint buffer, bool blocking, nuint offset, nuint bytes, nint target);

    int EnqueueFillBuffer(nint queue, nint buffer, nint pattern, nuint patternBytes, nuint offset, nuint bytes);

    int CreateProgramWithSource(nint context, nint text, nuint bytes, out nint program);

    int CreateProgramWithBinary(nint context, nint device, nint binary, nuint bytes, out nint program);

    int BuildProgram(nint program, nint device, nint options);

    int GetProgramBuildInfo(nint program, nint device, uint name, nuint bytes, nint value, out nuint needed);

    int GetProgramInfo(nint program, uint name, nuint bytes, nint value, out nuint needed);

    int ReleaseProgram(nint program);

    int CreateKernel(nint program, nint name, out nint kernel);

    int SetKernelArg(nint kernel, uint index, nuint bytes, nint value);

    int ReleaseKernel(nint kernel);

    int EnqueueNDRangeKernel(nint queue, nint kernel, uint dimensions, nint globalSizes, nint localSizes);

    int EnqueueTimedKernel(nint queue, nint kernel, uint dimensions, nint globalSizes, nint localSizes, out nint @event);

    int EnqueueMarker(nint queue, out nint @event);

    int WaitForEvent(nint @event);

    int GetEventProfilingInfo(nint @event, uint name, out ulong nanoseconds);

    int ReleaseEvent(nint @event);

    int Flush(nint queue);

    int Finish(nint queue);
}
