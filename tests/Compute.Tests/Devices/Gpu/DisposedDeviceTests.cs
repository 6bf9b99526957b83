using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>A disposed device refuses work: its queue and context are destroyed, and drivers crash on such handles.</summary>
[Collection(nameof(OneDriverTestAtATime))]
public sealed class DisposedDeviceTests
{
    [Fact]
    public void CudaDevice_AfterDispose_RefusesWork()
    {
        var (api, spy) = DriverSpy.Watch(StubCuda.Api);
        Check(new CudaDevice(api, CudaInfo.All(api)[0], new HandWrittenOp.Artifacts(), GpuScenario.StagingBytes), spy);
    }

    [Fact]
    public void OpenClDevice_AfterDispose_RefusesWork()
    {
        var (api, spy) = DriverSpy.Watch(TestOpenCl.Api);
        Check(TestOpenCl.Open(api), spy);
    }

    private static void Check(GpuDevice device, DriverSpy spy)
    {
        var launch = new HandWrittenOp(1, 1);
        using var buffer = device.Allocate(64);
        var tensor = new Tensor(buffer, 0, DType.Float32, [16]);
        var bound = device.Kernels.Get(new OpSignature(launch, [tensor.Type], tensor.Type))
            .Bind(new OpCall(device, launch, [tensor], tensor));
        var timing = device.StartTiming();
        timing.Dispose();
        timing.Dispose(); // once is enough
        device.Dispose();
        device.Dispose();
        int calls = spy.Calls.Count;
        Assert.Throws<ObjectDisposedException>(bound.Run);
        Assert.Throws<ObjectDisposedException>(device.Synchronize);
        Assert.Throws<ObjectDisposedException>(() => device.Allocate(64));
        Assert.Throws<ObjectDisposedException>(() => device.Upload(new byte[64], tensor));
        Assert.Throws<ObjectDisposedException>(() => device.Download(tensor, new byte[64]));
        Assert.Throws<ObjectDisposedException>(device.StartTiming);
        Assert.Equal(calls, spy.Calls.Count);
        buffer.Dispose(); // may be late
        Assert.Equal(0, device.AllocatedBytes);
        Assert.Empty(spy.Live);
    }
}
