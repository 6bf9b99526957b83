using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Several devices in one process, each with its own kernels, memory and counters.</summary>
[Collection(nameof(OneDriverTestAtATime))]
public sealed class SeveralDevicesTests
{
    [Fact]
    public void Run_OnThreeDevicesAtOnce_MatchesReference()
    {
        _ = TestOpenCl.Api;
        using var first = DeviceCatalog.Open("opencl:0");
        using var second = DeviceCatalog.Open("opencl:0");
        using var cpu = new CpuDevice(threads: 1);
        Device[] devices = [first, second, cpu];
        OpCase[] cases = [.. OpCatalog.Cases.Single(c => c.Op == typeof(Softmax)).Cases.Take(3)];
        Parallel.ForEach(devices, device =>
        {
            foreach (var @case in cases)
            {
                using var bound = new BoundCase(device, @case, outputPadding: 3);
                bound.Run();
                OpReference.Verify(@case, bound.Read());
            }
        });
        Assert.All(devices, device =>
            Assert.True(device.HostSynchronisations >= cases.Length && device.AllocatedBytes == 0,
                $"{device}: {device.HostSynchronisations}, {device.AllocatedBytes}"));

        // A disposed device does not affect the others.
        first.Dispose();
        using var still = new BoundCase(second, cases[0], outputPadding: 3);
        still.Run();
        OpReference.Verify(cases[0], still.Read());
        Assert.Throws<DeviceException>(() => first.Upload(new byte[4], new Tensor(second.Allocate(4), 0, DType.Float32, [1])));
    }

    [Fact]
    public void Best_OpenedAgain_IsSharedUntilDisposedAndLogged()
    {
        string message = "";
        string written = DeviceLoggingTests.Traced(() =>
        {
            var best = Device.Best;
            message = $"device: {best}, ";
            Assert.Same(best, Device.Best);
            Assert.Equal(DeviceCatalog.List().First(d => d.Problem is null && d.IsChosenByItself).Id, best.Id);
            best.Dispose();
            Assert.True(best.IsDisposed);
            var next = Device.Best;
            Assert.NotSame(best, next);
            Assert.False(next.IsDisposed);
        });
        Assert.Equal(3, written.Split(message).Length);
    }
}
