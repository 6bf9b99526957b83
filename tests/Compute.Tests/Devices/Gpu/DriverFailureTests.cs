using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Makes every call of a driver fail, alone and with all later ones: errors are reported, memory and handles are freed, nothing crashes.
/// </summary>
[Collection(nameof(OneDriverTestAtATime))]
public sealed class DriverFailureTests
{
    /// <summary>Functions whose names in messages differ from the interface's.</summary>
    private static readonly Dictionary<string, string> Names = new()
    {
        ["MemPoolSetReleaseThreshold"] = "cuMemPoolSetAttribute",
        ["LinkAddData"] = "PTX of",
        ["LinkComplete"] = "PTX of",
        ["GetPlatformIds"] = "clGetPlatformIDs",
        ["GetDeviceIds"] = "clGetDeviceIDs",
        ["EnqueueMarker"] = "clEnqueueMarkerWithWaitList",
        ["WaitForEvent"] = "clWaitForEvents",
        ["GetEventProfilingInfo"] = "clGetEventProfilingInfo",
        ["EnqueueTimedKernel"] = "clEnqueueNDRangeKernel",
    };

    [Fact]
    public void OpenCl_WithEachCallFailingInTurn_ReportsAndLeavesNothingBehind()
    {
        var driver = OpenClLibrary.TryLoad(out string? problem);
        if (driver is null || OpenClInfo.All(driver).Count == 0)
            throw Required.Absent("opencl", problem ?? "OpenCL: the driver has no device.");
        // No binary is cached here, no arena has more than 2^31 elements, and no text is refused.
        GpuScenario.FailEachCall<IOpenCl>(driver,
            api => new OpenClDevice(api, OpenClInfo.All(api)[0], 0, new HandWrittenOp.Artifacts(), GpuScenario.StagingBytes), "opencl",
            Functions<IOpenCl>("cl", nameof(IOpenCl.CreateProgramWithBinary), nameof(IOpenCl.CreateSubBuffer),
                nameof(IOpenCl.GetProgramBuildInfo)));
    }

    [Fact]
    public void Cuda_WithEachCallFailingInTurn_ReportsAndLeavesNothingBehind() => Check(0, "MemAlloc", "MemFree");

    [Fact]
    public void CudaWithoutPools_WithEachCallFailingInTurn_ReportsAndLeavesNothingBehind() =>
        Check(1, "MemAllocAsync", "MemFreeAsync", "MemPoolTrimTo", "DeviceGetDefaultMemPool", "MemPoolSetReleaseThreshold");

    private static void Check(int ordinal, params string[] unused) =>
        GpuScenario.FailEachCall(StubCuda.Api,
            api => new CudaDevice(api, CudaInfo.All(api)[ordinal], new HandWrittenOp.Artifacts(), GpuScenario.StagingBytes), "cuda",
                Functions<ICuda>("cu", unused));

    /// <summary>All functions of a driver that a device of the kind needs.</summary>
    private static Dictionary<string, string> Functions<T>(string prefix, params string[] unused) =>
        typeof(T).GetMethods().Select(m => m.Name).Except(unused)
            .ToDictionary(name => name, name => Names.GetValueOrDefault(name, prefix + name));
}
