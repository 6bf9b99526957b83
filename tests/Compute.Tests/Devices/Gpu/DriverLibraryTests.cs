using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Drivers that lack optional functions, or required ones.</summary>
[Collection(nameof(OneDriverTestAtATime))]
public sealed class DriverLibraryTests
{
    [Fact]
    public void CudaDriver_WithoutNewerFunctions_WorksWithoutThem()
    {
        var (api, problem) = StubCuda.BuildWithout("cuMemAllocAsync", "cuMemFreeAsync", "cuDeviceGetDefaultMemPool",
            "cuMemPoolSetAttribute", "cuMemPoolTrimTo", "cuGraphExecUpdate_v2");
        if (api is null) throw Required.Absent("gcc", problem);
        var (watched, spy) = DriverSpy.Watch(api);
        GpuScenario.Run(new CudaDevice(watched, CudaInfo.All(watched)[0], new HandWrittenOp.Artifacts(), GpuScenario.StagingBytes));
        Assert.Contains("MemAlloc", spy.Calls);
        Assert.Empty(spy.Live);
    }

    [Theory, InlineData("cuLaunchKernel"), InlineData("cuGraphInstantiateWithFlags")]
    public void CudaDriver_WithoutWhatIsNeeded_IsReported(string function)
    {
        _ = StubCuda.Api; // skips without a compiler
        var (api, problem) = StubCuda.BuildWithout(function);
        Assert.Null(api);
        Assert.Contains("CUDA: ", problem, StringComparison.Ordinal);
        Assert.Contains("is too old or not a driver", problem, StringComparison.Ordinal);
        Assert.Contains(function, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenClLibrary_ThatIsNone_IsReported()
    {
        _ = StubCuda.Api;
        Assert.Null(StubCuda.AsOpenCl(out string? problem)); // a library without any OpenCL function
        Assert.Contains("OpenCL: ", problem, StringComparison.Ordinal);
        Assert.Contains("clGetPlatformIDs", problem, StringComparison.Ordinal);
    }
}
