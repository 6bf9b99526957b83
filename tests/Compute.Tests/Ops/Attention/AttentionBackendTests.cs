using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Every case of attention with each implementation, against the definition in float64; and how one is chosen.</summary>
public sealed class AttentionBackendTests
{
    private static readonly AttentionBackend[] Backends =
        [AttentionBackend.Flash, AttentionBackend.MemoryEfficient, AttentionBackend.Math];

    private static readonly GpuTarget SmallGpu = KernelTargets.All["opencl-gpu"] with { LocalMemoryBytes = 16384, MaxGroupSize = 128 };

    public static TheoryData<AttentionBackend> All => [.. Backends];

    public static TheoryData<string, AttentionBackend, DType> OnGpus
    {
        get
        {
            var rows = new TheoryData<string, AttentionBackend, DType>();
            foreach (string device in TestDevices.Gpus)
                foreach (var backend in Backends)
                    foreach (var dtype in new[] { DType.Float32, DType.Float16, DType.BFloat16 }) rows.Add(device, backend, dtype);
            return rows;
        }
    }

    private static OpCase[] Cases => [.. OpCatalog.Cases.Single(c => c.Op == typeof(ScaledDotProductAttention)).Cases];

    [Theory, MemberData(nameof(All))]
    public void Backend_OnCpu_MatchesReferenceWithTheSameBitsOnAnyThreads(AttentionBackend backend)
    {
        using CpuDevice one = new(threads: 1), three = new(threads: 3);
        foreach (var @case in Cases.Select(c => With(c, backend)))
        {
            double[] values = OpCatalog.Run(one, @case).Values;
            OpReference.Verify(@case, values);
            Assert.True(values.SequenceEqual(OpCatalog.Run(three, @case).Values), $"{backend}, {@case}: bits depend on threads.");
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(OnGpus))]
    public void Backend_OnGpu_MatchesReference(string id, AttentionBackend backend, DType dtype)
    {
        var device = TestDevices.Open(id);
        foreach (var @case in Cases.Select(c => dtype == DType.Float32 ? c : c.With(dtype)).OfType<OpCase>())
            OpReference.Verify(@case, OpCatalog.Run(device, With(@case, backend)).Values);
    }

    [Fact]
    public void Choose_WithoutAChoice_TakesFlashOnTheCpu()
    {
        using var device = new CpuDevice(threads: 1);
        var choice = AttentionChoice.For(device, DType.Float32);
        Assert.Equal((AttentionBackend.Flash, "cpu/simd"), (choice.Backend, choice.Kernel));
        Assert.Equal("the first choice of those that the device supports; tiles with an online softmax in float32", choice.Reason);
    }

    [Theory]
    [InlineData(AttentionBackend.MemoryEfficient, "cpu/chunks", "requested; keys in chunks")]
    [InlineData(AttentionBackend.Math, "cpu/math", "requested; scores in full, by GEMMs in float32")]
    public void Choose_OnRequest_TakesThatBackend(AttentionBackend backend, string kernel, string reason)
    {
        using var device = new CpuDevice(threads: 1);
        Assert.Equal(new AttentionChoice(backend, kernel, reason), AttentionChoice.For(device, DType.Float32, 64, backend));
    }

    [Theory]
    [InlineData(64, false, "cuda/tensor-cores", "tensor cores, weights rounded to 16 bits, as in FlashAttention")]
    [InlineData(64, true, "cuda/tensor-cores", "tensor cores, weights in exact parts")]
    [InlineData(160, false, "cuda/matrices", "tensor cores, weights rounded to 16 bits, as in FlashAttention")]
    public void Choose_OnTensorCores_SaysHowWeightsAreMultiplied(int head, bool precise, string kernel, string how)
    {
        var choice = AttentionChoice.For(new TranslatingDevice(GpuTarget.Cuda(9, 0)), DType.BFloat16, head, new(Precise: precise));
        Assert.Equal((AttentionBackend.Flash, kernel), (choice.Backend, choice.Kernel));
        Assert.Equal($"the first choice of those that the device supports; {how}", choice.Reason);
    }

    [Fact]
    public void Choose_OnADeviceWithLittleLocalMemory_TakesMemoryEfficientAndSaysWhy()
    {
        var choice = AttentionChoice.For(new TranslatingDevice(SmallGpu), DType.Float16);
        Assert.Equal((AttentionBackend.MemoryEfficient, "gpu/chunks"), (choice.Backend, choice.Kernel));
        Assert.Equal("flash's tiles need 28928 bytes of local memory and groups of 256, and the device has 16384 and 128; keys in chunks",
            choice.Reason);
    }

    [Fact]
    public void Choose_WhatTheDeviceDoesNotSupport_NamesThoseThatItDoes()
    {
        var device = new TranslatingDevice(SmallGpu);
        string message = Assert.Throws<DeviceException>(
            () => AttentionChoice.For(device, DType.Float16, 80, AttentionBackend.Flash)).Message;
        Assert.Equal("attention: flash does not support heads of 80 in Float16 for Float16[1, 1024, 80] and Float16[1, 1024, 80] on "
            + "opencl:9: flash's tiles need 28928 bytes of local memory and groups of 256, and the device has 16384 and 128. Choose "
            + "memory-efficient or math, or auto.", message);
    }

    [Fact]
    public void Choose_MathForTooManyScores_NamesTheOthers()
    {
        using var device = new CpuDevice(threads: 1);
        var type = new TensorType(DType.Float32, [1, 36864, 512]);
        var op = new ScaledDotProductAttention(1) { Options = AttentionBackend.Math };
        var signature = TranslatingDevice.Signature(op, [type, type, type]);
        string message = Assert.Throws<DeviceException>(() => device.Kernels.Choose(signature)).Message;
        Assert.Contains("the scores of one head need 5328 MiB, and the most is 1535 MiB. Choose flash or memory-efficient, or auto.",
            message, StringComparison.Ordinal);
    }

    /// <summary>Tuning may compare backends for calls without a choice alone, and its results must not concern the others.</summary>
    [Fact]
    public void Bucket_OfAChosenBackend_IsNone()
    {
        var type = new TensorType(DType.Float32, [1, 64, 64]);
        Assert.NotNull(TuningTable.ClassOf(TranslatingDevice.Signature(new ScaledDotProductAttention(1), [type, type, type])));
        Assert.All(Backends, backend => Assert.Null(TuningTable.ClassOf(
            TranslatingDevice.Signature(new ScaledDotProductAttention(1) { Options = backend }, [type, type, type]))));
    }

    [Fact]
    public void Kernels_OfMemoryEfficient_UseNoLocalMemoryAndNoBarrier()
    {
        var device = new TranslatingDevice(GpuTarget.Cuda(9, 0));
        var type = new TensorType(DType.BFloat16, [2, 300, 128]);
        device.Bind(new ScaledDotProductAttention(2) { Options = AttentionBackend.MemoryEfficient }, [type, type, type], gap: 8);
        Assert.Equal(6, device.Launches.Count); // two chunks
        Assert.All(device.Artifacts.Values, artifact =>
        {
            Assert.Equal(0, artifact.SharedBytes);
            Assert.DoesNotContain("bar.sync", artifact.Text, StringComparison.Ordinal);
        });
    }

    /// <summary>
    /// Scratch memory for 1024 tokens of SDXL's 20 heads of 64: a chunk of scores and the running sums of all heads; the scores, keys and
    /// values of one.
    /// </summary>
    [Fact]
    public void Scratch_OfEachBackend_IsAsStated()
    {
        using var cpu = new CpuDevice(threads: 1);
        var gpu = new TranslatingDevice(GpuTarget.Cuda(9, 0));
        Assert.Equal((0, 0, 1024 * (1024 + 2 * 64) * 4), (Bytes(cpu, AttentionBackend.Flash), Bytes(cpu, AttentionBackend.MemoryEfficient),
            Bytes(cpu, AttentionBackend.Math)));
        Assert.Equal((0, 20 * 1024 * (256 + 3 + 64) * 4),
            (Bytes(gpu, AttentionBackend.Flash), Bytes(gpu, AttentionBackend.MemoryEfficient)));

        static long Bytes(Device device, AttentionBackend backend)
        {
            var type = new TensorType(DType.Float32, [1, 1024, 1280]);
            var signature = TranslatingDevice.Signature(new ScaledDotProductAttention(20) { Options = backend }, [type, type, type]);
            return device.Kernels.Get(signature).ScratchBytes(signature);
        }
    }

    private static OpCase With(OpCase @case, AttentionBackend backend)
    {
        var op = (ScaledDotProductAttention)@case.Op;
        return @case with { Op = op with { Options = op.Options with { Backend = backend } } };
    }
}
