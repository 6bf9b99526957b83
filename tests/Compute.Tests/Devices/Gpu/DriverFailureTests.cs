using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Every call of a driver fails once: errors are reported, memory and handles go back, nothing crashes.</summary>
[Collection(nameof(OneDriverTestAtATime))]
public sealed class DriverFailureTests
{
    [Fact]
    public void OpenCl_WithEachCallFailingInTurn_ReportsAndLeavesNothingBehind()
    {
        var driver = OpenClLibrary.TryLoad(out string? problem);
        if (driver is null || OpenClInfo.All(driver).Count == 0) throw Required.Absent("opencl", problem ?? "OpenCL: the driver has no device.");
        GpuScenario.FailEachCall<IOpenCl>(driver, api => new OpenClDevice(api, OpenClInfo.All(api)[0], 0, new HandWrittenOp.Artifacts(), GpuScenario.StagingBytes), "opencl");
    }

    [Theory, InlineData(0), InlineData(1)]
    public void Cuda_WithEachCallFailingInTurn_ReportsAndLeavesNothingBehind(int ordinal) =>
        GpuScenario.FailEachCall(StubCuda.Api, api => new CudaDevice(api, CudaInfo.All(api)[ordinal], new HandWrittenOp.Artifacts(), GpuScenario.StagingBytes), "cuda");
}
