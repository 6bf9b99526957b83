using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// A crashed kernel is reported at the next wait: the message names the op that was queued last, its shapes and the device, and memory
/// is freed where possible.
/// </summary>
[Collection(nameof(OneDriverTestAtATime))]
public sealed class LostDeviceTests
{
    private static readonly OpCase Case = new("", new HandWrittenOp(1, 1), [new CaseTensor([3, 4], n => n)], 0);

    [Fact]
    public void ReadBack_FromALostCudaDevice_NamesOpShapesAndDevice()
    {
        var (api, spy) = DriverSpy.Watch(StubCuda.Api);
        Check(new CudaDevice(api, CudaInfo.All(api)[0], new HandWrittenOp.Artifacts()), spy, "StreamSynchronize", 700,
            "cuda:0 (Stub 0): cuStreamSynchronize failed with CUDA_ERROR_ILLEGAL_ADDRESS (700) in work that ends with hand_written (");
    }

    [Theory, InlineData(-36), InlineData(-9999)]
    public void ReadBack_FromALostOpenClDevice_NamesOpShapesAndDevice(int error)
    {
        var (api, spy) = DriverSpy.Watch(TestOpenCl.Api);
        Check(new OpenClDevice(api, OpenClInfo.All(api)[0], 0, new HandWrittenOp.Artifacts()), spy, "EnqueueReadBuffer", error,
            "clEnqueueReadBuffer failed with ");
    }

    private static void Check(GpuDevice device, DriverSpy spy, string function, int error, string words)
    {
        using (device)
        using (var bound = new BoundCase(device, Case, outputPadding: 0))
        {
            bound.Run();
            (spy.FailIn, spy.Error) = (function, error);
            string message = Assert.Throws<DeviceException>(bound.Read).Message;
            Assert.StartsWith(device.Id, message, StringComparison.Ordinal);
            Assert.Contains(words, message, StringComparison.Ordinal);
            Assert.Contains("in work that ends with hand_written (HandWrittenOp.Kernel) of Float32[3, 4] → Float32[3, 4].", message,
                StringComparison.Ordinal);
            Assert.Contains("The device is lost for this process", message, StringComparison.Ordinal);
        }

        Assert.Empty(spy.Live);
        Assert.Equal(0, device.AllocatedBytes);
    }
}
