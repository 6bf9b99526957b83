using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Launches that share a packed weight.</summary>
public sealed class PackedWeightsTests
{
    [Fact]
    public void Get_EqualLayout_PacksOnce()
    {
        using var device = new CpuDevice(threads: 1);
        using var stored = device.Allocate(64);
        using var packed = new PackedWeights(device);
        var weight = new Tensor(stored, 0, DType.Float32, [4, 4]);
        int calls = 0;
        DeviceBuffer Get(PackedLayout layout) => packed.Get(weight, layout, 64, _ => calls++);

        var first = Get(new GemmPanels(8, 4));
        Assert.Same(first, Get(new GemmPanels(8, 4)));
        Assert.NotSame(first, Get(new GemmPanels(4, 8)));
        Assert.NotSame(Get(new GatedPanels(8)), Get(new WinogradPanels(8))); // the same numbers in other bytes
        Assert.Equal(4, calls);
    }
}
