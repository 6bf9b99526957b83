using System.Text.RegularExpressions;
using ILGPU;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using Group = ILGPU.Group;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>ILGPU 1.5.3 may move reads across a bare barrier, so every kernel with barriers is checked in both languages.</summary>
public sealed partial class KernelOrderTests
{
    private static readonly GpuTarget Hopper = GpuTarget.Cuda(9, 0),
        OpenClGpu = GpuTarget.OpenClCpu() with { Architecture = "opencl-gpu", IsCpu = false };

    public static TheoryData<string> Ops => [.. OpCatalog.Cases.Where(c => !NotYetOnGpus.Ops.Contains(c.Op)).Select(c => c.Op.Name)];

    [Theory, MemberData(nameof(Ops))]
    public void Kernels_InBothLanguages_TouchMemoryInTheSameOrder(string op)
    {
        var kernels = CudaKernels.Of(9, 0).Where(k => k.Op == op && k.Artifact.Text.Contains("bar.sync", StringComparison.Ordinal))
            .ToArray();
        // activations are only arithmetic, so one of them is enough
        foreach (var (_, _, source, artifact) in kernels.DistinctBy(k => Form(k.Source)))
        {
            string[] ptx = KernelOrder.Blocks(artifact);
            Assert.NotEmpty(ptx);
            Assert.True(ptx.SequenceEqual(KernelOrder.Blocks(KernelCompiler.Compile(source, OpenClGpu))),
                $"{source}: PTX and OpenCL C differ between barriers: {string.Join(" | ", ptx)}");
            Assert.DoesNotContain(ptx, HasIdleBarriers);
        }
    }

    /// <summary>Checks that such kernels are found, because the theory would pass without any.</summary>
    [Fact]
    public void Kernels_WithBarriers_AreOfEveryKind()
    {
        string[] names = [.. CudaKernels.Of(9, 0).Where(k => k.Artifact.Text.Contains("bar.sync", StringComparison.Ordinal))
            .Select(k => k.Source.ToString().Split('<')[0]).Distinct()];
        foreach (var kind in new[] { typeof(MatrixGemm), typeof(TiledGemm), typeof(Int8GemmGpu), typeof(TensorCoreAttention),
            typeof(SubGroupAttention), typeof(TiledAttention), typeof(GroupNormalizationGpu), typeof(LayerNormalizationGpu) })
            Assert.Contains(names, name => name.StartsWith($"{kind.Name}.", StringComparison.Ordinal));
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
        Assert.Equal(KernelOrder.Blocks(KernelCompiler.Compile(source, Hopper)),
            KernelOrder.Blocks(KernelCompiler.Compile(source, OpenClGpu)));
        Assert.Equal("s1 L1 B l1 B ", Assert.Single(KernelOrder.Blocks(KernelCompiler.Compile(source, Hopper))));
    }

    // A kernel's name without its activation.
    private static string Form(KernelSource source) => Activation().Replace(source.ToString(), "");

    [GeneratedRegex(@", (Identity|Silu|Gelu|GeluTanh|QuickGelu)\b")]
    private static partial Regex Activation();

    // Two barriers with nothing between them: the accesses there were moved.
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
