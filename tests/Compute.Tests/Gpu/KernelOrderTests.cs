using ILGPU;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>ILGPU 1.5.3 may move reads across a bare barrier: every kernel that has barriers is looked at in both languages.</summary>
public sealed class KernelOrderTests
{
    private static readonly GpuTarget Hopper = GpuTarget.Cuda(9, 0), OpenClGpu = GpuTarget.OpenClCpu() with { Architecture = "opencl-gpu", IsCpu = false };

    public static TheoryData<string> Ops => [.. OpCatalog.Cases.Where(c => !NotYetOnGpus.Ops.Contains(c.Op)).Select(c => c.Op.Name)];

    [Theory, MemberData(nameof(Ops))]
    public void Kernels_InBothLanguages_TouchMemoryInTheSameOrder(string op)
    {
        var device = new TranslatingDevice(Hopper);
        var all = OpCatalog.Cases.Single(c => c.Op.Name == op).Cases;
        // Activations are arithmetic alone: one epilogue of each op shows the order.
        foreach (var @case in all.Where((c, i) => i == 0 || !c.Op.ToString()!.Contains("Activation", StringComparison.Ordinal) || c.Name == "all"))
            device.Bind(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)));
        foreach (var (source, artifact) in device.Artifacts.Where(a => a.Value.Text.Contains("bar.sync", StringComparison.Ordinal)))
        {
            string[] ptx = KernelOrder.Blocks(artifact);
            Assert.NotEmpty(ptx);
            Assert.True(ptx.SequenceEqual(KernelOrder.Blocks(KernelCompiler.Compile(source, OpenClGpu))), $"{source}: PTX and OpenCL C differ in what lies between barriers: {string.Join(" | ", ptx)}");
            Assert.DoesNotContain(ptx, HasIdleBarriers);
        }
    }

    [Fact]
    public void BareBarrier_AtALoopsEnd_IsFoundToBeMoved()
    {
        Assert.Contains(KernelOrder.Blocks(KernelCompiler.Compile(KernelSource.Of(Kernels.Bare, 128), Hopper)), HasIdleBarriers);
        Assert.DoesNotContain(KernelOrder.Blocks(KernelCompiler.Compile(KernelSource.Of(Kernels.Pinned, 128), Hopper)), HasIdleBarriers);
    }

    [Fact]
    public void Blocks_OfASmallKernel_AreTheSameInBothLanguages()
    {
        var source = KernelSource.Of(Kernels.Pinned, 128);
        Assert.Equal(KernelOrder.Blocks(KernelCompiler.Compile(source, Hopper)), KernelOrder.Blocks(KernelCompiler.Compile(source, OpenClGpu)));
        Assert.Equal("s1 L1 B l1 B ", Assert.Single(KernelOrder.Blocks(KernelCompiler.Compile(source, Hopper))));
    }

    // Two barriers with nothing between them: what stood there has gone elsewhere.
    private static bool HasIdleBarriers(string block) => block.Contains("B  B", StringComparison.Ordinal);

    private static class Kernels
    {
        public static void Bare(ArrayView<float> a, ArrayView<float> sums, int steps)
        {
            var shared = SharedMemory.Allocate<float>(128);
            float sum = 0;
            for (int k = 0; k < steps; k++)
            {
                shared[Group.IdxX] = a[k * 128 + Group.IdxX];
                Group.Barrier();
                sum += shared[127 - Group.IdxX];
                Group.Barrier();
            }

            sums[Group.IdxX] = sum;
        }

        public static void Pinned(ArrayView<float> a, ArrayView<float> sums, int steps)
        {
            var shared = SharedMemory.Allocate<float>(128);
            float sum = 0;
            for (int k = 0; k < steps; k++)
            {
                shared[Group.IdxX] = a[k * 128 + Group.IdxX];
                Block.Sync();
                sum += shared[127 - Group.IdxX];
                Block.Sync();
            }

            sums[Group.IdxX] = sum;
        }
    }
}
