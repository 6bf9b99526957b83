using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Weights that are packed or reordered once: fewer launches in every run, and the same bits.</summary>
public sealed class PackedOnGpuTests
{
    private static readonly OpCase Convolution =
        new("packed", new Conv2D(1, 1, 1),
            [CaseTensor.Normal([1, 5, 6, 12], 1), CaseTensor.Normal([20, 12, 3, 3], 2, 0.1), CaseTensor.Normal([20], 3)], 2e-6);

    private static readonly OpCase Gate = new("packed gate", new GatedMatMul(),
        [CaseTensor.Normal([7, 12], 1), CaseTensor.Normal([40, 12], 2, 0.2), CaseTensor.Normal([40], 3)], 2e-6);

    public static TheoryData<string> Gpus => [.. TestDevices.Gpus];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Gpus))]
    public void Filters_KernelPositionsFirst_AreNotReorderedInEveryRun(string id)
    {
        var device = TestDevices.Open(id);
        foreach (string variant in new[] { "gpu/tiles", "gpu/panels" })
        {
            using BoundCase stored = new(device, Convolution, 0, variant: variant),
                ordered = new(device, Convolution, 0, variant: variant, kernelPositionsFirst: true);
            Assert.Equal(variant == "gpu/tiles" ? stored.LaunchCount - 1 : stored.LaunchCount, ordered.LaunchCount);
            AssertSame(stored, ordered, Convolution);
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Gpus))]
    public void Panels_KeptPacked_AreNotPackedInEveryRun(string id)
    {
        using var device = TestDevices.OpenAnother(id);
        foreach (var @case in new[] { Convolution, Gate })
        {
            using (var packed = new PackedWeights(device))
            {
                using BoundCase stored = new(device, @case, 0, variant: "gpu/panels"),
                    kept = new(device, @case, 0, variant: "gpu/panels", packed: packed);
                Assert.Equal(stored.LaunchCount - 1, kept.LaunchCount);
                Assert.InRange(packed.Bytes, 4 * @case.Inputs[1].Shape.Count, 8 * @case.Inputs[1].Shape.Count);
                AssertSame(stored, kept, @case);
            }

            Assert.Equal(0, device.AllocatedBytes);
        }
    }

    private static void AssertSame(BoundCase expected, BoundCase actual, OpCase @case)
    {
        expected.Run();
        actual.Run();
        actual.Run();
        OpReference.Verify(@case, expected.Read());
        Assert.Equal(expected.Read(), actual.Read());
    }
}
