using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The int8 product by dot products of four bytes: the very kernel that GPUs get, with the instruction's definition in plain OpenCL C.</summary>
public sealed class IntegerProductGpuTests
{
    private const string Variant = "gpu/dot";
    private static readonly Lazy<OpenClDevice> Device = new(() => SoftLanes.Open(new Translator()));

    // The plain form of the instruction runs in GpuVariantTests, in all cases.
    [Theory, InlineData("odd sizes"), InlineData("largest integers"), InlineData("column view"), InlineData("all")]
    public void Case_ByDotProducts_MatchesReference(string name)
    {
        var @case = new QuantizedMatMulCases().Cases.Single(c => c.Name == name);
        using var bound = new BoundCase(Device.Value, @case, outputPadding: 3, variant: Variant);
        bound.Run();
        OpReference.Verify(@case, bound.Read());
    }

    /// <summary>All scales are 1, so that the results are the int32 sums, rounded once to float32: the same bits on any device that sums exactly.</summary>
    [Theory, InlineData(65, 4112, 130), InlineData(9, 2049, 40), InlineData(70, 31, 129)]
    public void Sums_OfBytes_AreThoseOfTheProcessor(int rows, int depth, int columns)
    {
        double Byte(long i) => (i * 7919 + i / 3) % 255 - 127;
        var x = new CaseTensor([rows, depth], i => i % depth == 0 ? 127 : i / depth == 1 ? 127 : Byte(i));
        var @case = new OpCase("sums", new QuantizedMatMul(), [x, new([columns, depth], i => i / depth == 2 ? 127 : Byte(i), DType.Int8), new([columns], _ => 1)], 0);
        using var cpu = new CpuDevice(threads: 2);
        Assert.Equal(OpCatalog.Run(cpu, @case).Values, OpCatalog.Run(Device.Value, @case).Values);
        Assert.Equal(Variant, @case.Op.Kernels.Choose(Device.Value, Signature(@case)).Name);
    }

    [Fact]
    public void Texts_MultiplyByFours()
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
            var product = device.Artifacts.Single(a => a.Key.ToString().StartsWith("IntegerProductGpu.Kernel", StringComparison.Ordinal)).Value;
            Assert.Contains(text, product.Text, StringComparison.Ordinal);
            if (target.Language == GpuLanguage.OpenCl) Assert.Contains("=  ilgd_dot4(", product.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Devices_WithoutSuchInstructions_MultiplyFloats()
    {
        var @case = new QuantizedMatMulCases().Cases.Single(c => c.Name == "odd sizes");
        foreach (var target in new[] { GpuTarget.Cuda(6, 0), OpenCl(IntegerDotKind.None) })
            Assert.Equal("gpu/tiles", @case.Op.Kernels.Choose(new TranslatingDevice(target), Signature(@case)).Name);
    }

    [Fact]
    public void Case_WithUnsignedBytes_IsFoundToBeWrong()
    {
        using var device = SoftLanes.Open(new Translator(), text => text.Contains("void probe(", StringComparison.Ordinal) ? text
            : text.Replace("((sum) + dot_4x8packed_ss_int((uint)(a), (uint)(b)))", "((sum) + dot_4x8packed_ss_int((uint)(a), (uint)(b) & 0x7f7f7f7fu))", StringComparison.Ordinal));
        var @case = new QuantizedMatMulCases().Cases.Single(c => c.Name == "odd sizes");
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => OpReference.Verify(@case, OpCatalog.Run(device, @case).Values));
    }

    private static OpSignature Signature(OpCase @case)
    {
        TensorType[] types = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
        return new OpSignature(@case.Op, types, @case.Op.Infer(types));
    }

    private static GpuTarget OpenCl(IntegerDotKind kind) => GpuTarget.OpenClCpu() with { Architecture = "opencl-gpu", IsCpu = false, Features = new() { Dot = kind } };
}
