using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// The int8 GEMM by dot products of four bytes and on tensor cores: the same kernels as on GPUs, with the instructions defined in plain
/// OpenCL C.
/// </summary>
public sealed class Int8GemmGpuTests
{
    private const string Dot = "gpu/dot", TensorCores = "cuda/tensor-cores";
    private static readonly Lazy<OpenClDevice> Device = new(() => SoftLanes.Open(new Translator()));

    // GpuVariantTests runs all cases without these instructions.
    [Theory]
    [InlineData(Dot, "odd sizes"), InlineData(Dot, "largest integers"), InlineData(Dot, "column view"), InlineData(Dot, "all")]
    [InlineData(TensorCores, "one by one"), InlineData(TensorCores, "odd sizes"), InlineData(TensorCores, "more than a block of rows"),
        InlineData(TensorCores, "more than a block of columns")]
    [InlineData(TensorCores, "SDXL attention out, part"), InlineData(TensorCores, "largest integers"),
        InlineData(TensorCores, "column view"), InlineData(TensorCores, "all")]
    public void Case_OfBytes_MatchesReference(string variant, string name)
    {
        var @case = new QuantizedMatMulCases().Cases.Single(c => c.Name == name);
        using var bound = new BoundCase(Device.Value, @case, outputPadding: 3, variant: variant);
        bound.Run();
        OpReference.Verify(@case, bound.Read());
    }

    /// <summary>
    /// All scales are 1, so that the results are the int32 sums, rounded once to float32: the same bits on any device that sums exactly.
    /// </summary>
    [Theory, InlineData(Dot, 65, 4112, 130), InlineData(Dot, 9, 2049, 40), InlineData(TensorCores, 150, 4112, 130),
        InlineData(TensorCores, 9, 2049, 40), InlineData(TensorCores, 70, 31, 129)]
    public void Sums_OfBytes_AreThoseOfTheProcessor(string variant, int rows, int depth, int columns)
    {
        double Byte(long i) => (i * 7919 + i / 3) % 255 - 127;
        var x = new CaseTensor([rows, depth], i => i % depth == 0 ? 127 : i / depth == 1 ? 127 : Byte(i));
        var @case = new OpCase("sums", new QuantizedMatMul(),
            [x, new([columns, depth], i => i / depth == 2 ? 127 : Byte(i), DType.Int8), new([columns], _ => 1)], 0);
        using var cpu = new CpuDevice(threads: 2);
        using var bound = new BoundCase(Device.Value, @case, outputPadding: 0, variant: variant);
        bound.Run();
        Assert.Equal(OpCatalog.Run(cpu, @case).Values, bound.Read());
    }

    [Fact]
    public void Texts_EachDotInstruction_MultiplyFourBytesAtOnce()
    {
        var @case = new QuantizedMatMulCases().Cases.Single(c => c.Name == "odd sizes");
        foreach (var (target, text) in new[]
        {
            (GpuTarget.Cuda(6, 1), "dp4a.s32.s32 "),
            (OpenCl(IntegerDotKind.Khronos), "#define ILGD_DOT_KHRONOS"),
            (OpenCl(IntegerDotKind.Arm), "#define ILGD_DOT_ARM"),
        })
        {
            var device = new TranslatingDevice(target);
            device.Bind(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)));
            var gemm = device.Artifacts.Single(a => a.Key.ToString().StartsWith("Int8GemmGpu.Kernel", StringComparison.Ordinal)).Value;
            Assert.Contains(text, gemm.Text, StringComparison.Ordinal);
            if (target.Language == GpuLanguage.OpenCl) Assert.Contains("=  ilgd_dot4(", gemm.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Choose_ByDeviceFeatures_TakesTheBestVariant()
    {
        var @case = new QuantizedMatMulCases().Cases.Single(c => c.Name == "odd sizes");
        string Chosen(GpuTarget target) => @case.Op.Kernels.Choose(new TranslatingDevice(target), Signature(@case)).Name;
        foreach (var target in new[] { GpuTarget.Cuda(6, 0), OpenCl(IntegerDotKind.None) }) Assert.Equal("gpu/tiles", Chosen(target));
        foreach (var target in new[] { GpuTarget.Cuda(6, 1), GpuTarget.Cuda(7, 5), OpenCl(IntegerDotKind.Khronos) })
            Assert.Equal(Dot, Chosen(target));
        foreach (var target in new[] { GpuTarget.Cuda(8, 0), GpuTarget.Cuda(9, 0) }) Assert.Equal(TensorCores, Chosen(target));
    }

    [Theory, InlineData(8, 0), InlineData(9, 0)]
    public void Ptx_OfTensorCores_MultipliesBytes(int major, int minor)
    {
        var @case = new QuantizedMatMulCases().Cases.Single(c => c.Name == "odd sizes");
        var device = new TranslatingDevice(GpuTarget.Cuda(major, minor));
        device.Bind(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)));
        string text = device.Artifacts.Single(a => a.Key.ToString().StartsWith("MatrixGemm.Bytes", StringComparison.Ordinal)).Value.Text;
        Assert.Equal(32, text.Split("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32").Length - 1);
    }

    [Fact]
    public void Case_WithUnsignedBytes_IsFoundToBeWrong()
    {
        using var device = SoftLanes.Open(new Translator(), text => text.Contains("void probe(", StringComparison.Ordinal) ? text
            : text.Replace("((sum) + dot_4x8packed_ss_int((uint)(a), (uint)(b)))",
                "((sum) + dot_4x8packed_ss_int((uint)(a), (uint)(b) & 0x7f7f7f7fu))", StringComparison.Ordinal));
        var @case = new QuantizedMatMulCases().Cases.Single(c => c.Name == "odd sizes");
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => OpReference.Verify(@case, OpCatalog.Run(device, @case).Values));
    }

    private static OpSignature Signature(OpCase @case)
    {
        TensorType[] types = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
        return new OpSignature(@case.Op, types, @case.Op.Infer(types));
    }

    private static GpuTarget OpenCl(IntegerDotKind kind) =>
        GpuTarget.OpenClCpu() with { Architecture = "opencl-gpu", IsCpu = false, Features = new() { Dot = kind } };
}
