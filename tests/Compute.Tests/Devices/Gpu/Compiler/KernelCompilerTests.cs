using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Compiling C# kernels to PTX and OpenCL C without a driver.</summary>
public sealed class KernelCompilerTests
{
    private static readonly GpuTarget Hopper = GpuTarget.Cuda(9, 0), Processor = GpuTarget.OpenClCpu();

    private static KernelSource Scaling<T, E>() where T : unmanaged where E : IElement<T> => KernelSource.Of(Kernels.Scale<T, E>, 64);

    [Fact]
    public void Compile_ToPtx_HasEntryTargetAndParameters()
    {
        var artifact = KernelCompiler.Compile(Scaling<ushort, Fp16>(), Hopper);
        Assert.Contains($".visible .entry {artifact.Entry}(", artifact.Text, StringComparison.Ordinal);
        Assert.Contains(".version 7.8", artifact.Text, StringComparison.Ordinal);
        Assert.Contains(".target sm_90", artifact.Text, StringComparison.Ordinal);
        Assert.Contains("cvt.f32.f16", artifact.Text, StringComparison.Ordinal);
        Assert.Contains(".maxntid 64, 1, 1", artifact.Text, StringComparison.Ordinal);
        KernelParameter view = new(KernelParameterKind.View, 2);
        Assert.Equal([view, view, new(KernelParameterKind.Int32, 4), new(KernelParameterKind.Single, 4)], artifact.Parameters);
        Assert.Equal(0, artifact.SharedBytes);
    }

    [Fact]
    public void Compile_ToOpenCl_NamesNoGenericMemoryAndNeedsOpenCl12Only()
    {
        var artifact = KernelCompiler.Compile(KernelSource.Of(Kernels.Reverse, 64), Processor);
        Assert.Contains($"kernel __attribute__((reqd_work_group_size(64, 1, 1))) void {artifact.Entry}(", artifact.Text,
            StringComparison.Ordinal);
        Assert.Contains("barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)", artifact.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("work_group_barrier", artifact.Text, StringComparison.Ordinal);
        Assert.Equal(256, artifact.SharedBytes);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Compile_Twice_GivesTheSameText(bool ptx)
    {
        var target = ptx ? Hopper : Processor;
        string first = KernelCompiler.Compile(Scaling<ushort, Bf16>(), target).Text;
        KernelCompiler.Compile(KernelSource.Of(Kernels.Reverse, 64), target);
        Assert.Equal(first, KernelCompiler.Compile(Scaling<ushort, Bf16>(), target).Text);
    }

    [Fact]
    public void Compile_OnManyThreads_GivesTheSameText()
    {
        string expected = KernelCompiler.Compile(Scaling<float, Fp32>(), Hopper).Text;
        string[] texts = new string[8];
        Parallel.For(0, texts.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 },
            i => texts[i] = KernelCompiler.Compile(Scaling<float, Fp32>(), Hopper).Text);
        Assert.All(texts, text => Assert.Equal(expected, text));
    }

    [Fact]
    public void Compile_WhatIlgpuCannot_NamesKernelTargetAndReasonAndHarmsNoOther()
    {
        var failure = Assert.Throws<KernelCompilationException>(() =>
            KernelCompiler.Compile(KernelSource.Of(Kernels.UsesAString, 64), Hopper));
        Assert.StartsWith("Kernels.UsesAString: cannot be compiled for sm_90: ", failure.Message, StringComparison.Ordinal);
        Assert.NotEmpty(KernelCompiler.Compile(Scaling<float, Fp32>(), Hopper).Text);
    }

    [Fact]
    public void Compile_OneKernel_IsCountedAndTimed()
    {
        int before = KernelCompiler.Compilations;
        var time = KernelCompiler.TotalTime;
        KernelCompiler.Compile(Scaling<float, Fp32>(), Hopper);
        Assert.InRange(KernelCompiler.Compilations, before + 1, int.MaxValue);
        Assert.True(KernelCompiler.TotalTime > time);
    }

    [Fact]
    public void Sources_ByNameAndByDelegate_AreTheSame()
    {
        var named = KernelSource.Of(typeof(Kernels), nameof(Kernels.Scale), 64, typeof(ushort), typeof(Bf16));
        Assert.Equal(Scaling<ushort, Bf16>(), named);
        Assert.NotEqual(Scaling<ushort, Fp16>(), named);
        Assert.NotEqual(named, named with { GroupSize = 128 });
        Assert.Equal(Scaling<ushort, Bf16>().Method, named.Method);
    }

    [Fact]
    public void IlgpuInternals_OfTheReferencedVersion_HaveEveryMember() =>
        Assert.All(IlgpuInternals.Members, m => Assert.True(m.Member is not null, $"ILGPU lacks {m.Name}."));

    private static class Kernels
    {
        public static void Scale<T, E>(ArrayView<T> x, ArrayView<T> y, int count, float factor) where T : unmanaged where E : IElement<T>
        {
            int i = Grid.IdxX * Group.DimX + Group.IdxX;
            if (i < count) y[i] = E.Narrow(E.Widen(x[i]) * factor);
        }

        public static void Reverse(ArrayView<float> x)
        {
            var shared = SharedMemory.Allocate<float>(64);
            shared[Group.IdxX] = x[Grid.IdxX * 64 + Group.IdxX];
            Block.Sync();
            x[Grid.IdxX * 64 + Group.IdxX] = shared[63 - Group.IdxX];
        }

        public static void UsesAString(ArrayView<int> x) => x[0] = x[1].ToString().Length;
    }
}
