using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// GEMMs with the matrix instructions of OpenCL devices, without such a device: the same kernels and texts as on those, with the drivers'
/// functions defined in plain OpenCL C after their documentation (SoftMatrices.cl).
/// </summary>
public sealed class SubGroupMatricesTests
{
    private const string Variant = "opencl/matrices";
    private static readonly ConcurrentDictionary<MatrixUnitKind, Lazy<OpenClDevice>> Devices = new();
    private static readonly string[] Units = ["Intel8", "Intel16", "Rdna3", "Rdna4"];

    /// <summary>
    /// Unit, op, case, type: each layout in every kernel's main loop; one of them with rows, columns and depth that do and do not fill
    /// tiles, and with access by pieces and by elements.
    /// </summary>
    public static TheoryData<string, string, string, DType> Cases
    {
        get
        {
            var rows = new TheoryData<string, string, string, DType>();
            foreach (string unit in Units)
            {
                void Add(DType dtype, Type op, params string[] names) => Array.ForEach(names, name => rows.Add(unit, op.Name, name, dtype));
                Add(DType.BFloat16, typeof(MatMul), "SDXL text keys", "one over a block of columns");
                Add(DType.Float16, typeof(Conv2D), "SDXL, part of 16 by 16");
                Add(DType.Float32, typeof(QuantizedMatMul), "odd sizes", "largest integers", "more than a block of rows");
                Add(DType.BFloat16, typeof(ScaledDotProductAttention), "text keys", "VAE head of 512");
                if (unit != "Intel16") continue;
                Add(DType.BFloat16, typeof(MatMul), "nine rows", "SDXL attention out, part", "all after many rows");
                Add(DType.Float16, typeof(MatMul), "odd sizes", "column views, many rows");
                Add(DType.BFloat16, typeof(Conv2D), "stride 2, padded after only", "5 by 5", "pointwise");
                Add(DType.Float16, typeof(Conv2D), "latents in", "Winograd's size, odd in all ways");
                Add(DType.BFloat16, typeof(GatedMatMul), "SDXL, part");
                Add(DType.Float16, typeof(GatedMatMul), "column view");
                Add(DType.BFloat16, typeof(GroupedMatMul), "self-attention");
                Add(DType.Float32, typeof(QuantizedMatMul), "column view", "all");
                Add(DType.BFloat16, typeof(ScaledDotProductAttention),
                    [.. OpCatalog.Cases.Single(c => c.Op == typeof(ScaledDotProductAttention)).Cases.Where(c =>
                        c.With(DType.BFloat16) is not null).Select(c => c.Name).Except(["text keys", "VAE head of 512"])]);
                Add(DType.Float16, typeof(ScaledDotProductAttention), "odd head", "causal, CLIP", "values wider than keys",
                    "column views of one buffer");
                Add(DType.Float16, typeof(ScaledDotProductAttention), "head 80, odd tokens", "head 128, odd tokens",
                    "head 160, odd tokens");
            }

            return rows;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Case_OnMatrices_MatchesReference(string unit, string op, string name, DType dtype)
    {
        var @case = Find(op, name, dtype);
        OpReference.Verify(@case,
            Run(Devices.GetOrAdd(Enum.Parse<MatrixUnitKind>(unit), u => new(() => SoftLanes.Open(new Translator(), unit: u))).Value,
                @case));
    }

    /// <summary>Mistakes in the text, at the first, second … occurrence of a pattern: each must be detected.</summary>
    [Theory]
    [InlineData("no barrier before operands are read", nameof(MatMul), "SDXL attention out, part", @"barrier\([^)]*\);", 2, "")]
    [InlineData("operands exchanged", nameof(MatMul), "SDXL attention out, part",
        @"ilgd_matrix_bf16\((var\d+), (var\d+), (var\d+), (var\d+)\)", 1, "ilgd_matrix_bf16($1, $2, $4, $3)")]
    [InlineData("another lane", nameof(MatMul), "SDXL attention out, part", @"ilgd_lane\(\)", 1, "(ilgd_lane() ^ 1)")]
    [InlineData("no barrier before logits are read", nameof(ScaledDotProductAttention), "text keys", @"barrier\([^)]*\);", 3, "")]
    [InlineData("no barrier before the largest is read", nameof(ScaledDotProductAttention), "text keys", @"barrier\([^)]*\);", 4, "")]
    [InlineData("no barrier before weights are read", nameof(ScaledDotProductAttention), "text keys", @"barrier\([^)]*\);", 5, "")]
    public void Mistake_InTheText_IsFound(string mistake, string op, string name, string right, int time, string wrong)
    {
        using var device = SoftLanes.Open(new Translator(), text =>
        {
            if (text.Contains("void probe(", StringComparison.Ordinal) || !text.Contains("=  ilgd_matrix_bf16", StringComparison.Ordinal))
                return text;
            var place = new Regex(right).Matches(text, text.IndexOf("kernel __attribute__", StringComparison.Ordinal))[time - 1];
            return text[..place.Index] + place.Result(wrong) + text[(place.Index + place.Length)..];
        }, MatrixUnitKind.Intel8);
        var @case = Find(op, name, DType.BFloat16);
        double[] result = Run(device, @case);
        Assert.True(Record.Exception(() => OpReference.Verify(@case, result)) is Xunit.Sdk.XunitException,
            $"{mistake}: nothing was noticed.");
    }

    [Theory]
    [InlineData("Intel8", "intel_reqd_sub_group_size(8)"), InlineData("Intel16", "intel_reqd_sub_group_size(16)"),
        InlineData("Rdna3", "#define ILGD_MATRIX_RDNA3"), InlineData("Rdna4", "#define ILGD_MATRIX_RDNA4")]
    public void Texts_OfMatrixUnits_UseMatricesInTheOrderOfPtx(string unit, string mark)
    {
        var device = new TranslatingDevice(Target(Enum.Parse<MatrixUnitKind>(unit)));
        foreach (var (op, name) in new[] { (nameof(MatMul), "SDXL text keys"), (nameof(Conv2D), "SDXL, part of 16 by 16"),
            (nameof(GatedMatMul), "SDXL, part"), (nameof(ScaledDotProductAttention), "text keys") })
        {
            var @case = Find(op, name, DType.BFloat16);
            foreach (int gap in new[] { MatrixGemm.Piece, 3 })
                device.Bind(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)), gap: gap);
        }

        var bytes = Find(nameof(QuantizedMatMul), "more than a block of rows", DType.Float32);
        device.Bind(bytes.Op, bytes.Inputs.Select(i => new TensorType(i.DType, i.Shape)));
        var kernels = device.Artifacts.Where(a => a.Value.Text.Contains("=  ilgd_matrix_", StringComparison.Ordinal)).ToArray();
        Assert.Equal(9, kernels.Length);
        foreach (var (source, artifact) in kernels)
        {
            bool attends = source.ToString().StartsWith(nameof(SubGroupAttention), StringComparison.Ordinal);
            Assert.Contains(mark, artifact.Text, StringComparison.Ordinal);
            Assert.Equal(attends ? 2 + 3 * 2 : 16, Regex.Count(artifact.Text, "=  ilgd_matrix_(bf16|int8)"));
            Assert.InRange(artifact.SharedBytes, 1, attends ? SubGroupAttention.LocalBytes : 20480);
            Assert.Equal(KernelOrder.Blocks(KernelCompiler.Compile(source, GpuTarget.Cuda(9, 0))), KernelOrder.Blocks(artifact));
        }
    }

    [Fact]
    public void Driver_ThatCannotBuildAKernel_IsQuotedWithAWayOut()
    {
        using var device = SoftLanes.Open(new Translator(),
            text => text.Contains("void probe(", StringComparison.Ordinal) ? text
                : text.Replace("=  ilgd_matrix_bf16", "=  nobody_knows", StringComparison.Ordinal), MatrixUnitKind.Rdna3);
        string message = Assert.Throws<DeviceException>(() => Run(device, Find(nameof(MatMul), "SDXL text keys", DType.BFloat16))).Message;
        Assert.Contains("SubGroupMatrices<Rdna3Layout, Bf16Matrix", message, StringComparison.Ordinal);
        Assert.Contains(" ILGPUDIFFUSION_OPENCL_EXTENSIONS=off disables the driver's extensions. The driver says: ", message,
            StringComparison.Ordinal);
    }

    /// <summary>Only devices that have the instructions choose them, and only for supported types.</summary>
    [Theory]
    [InlineData("Intel16", DType.BFloat16, "SDXL text keys", Variant), InlineData("Rdna3", DType.Float16, "SDXL text keys", Variant),
        InlineData("None", DType.Float16, "SDXL text keys", "gpu/tiles")]
    [InlineData("Intel8", DType.BFloat16, "two rows, time embedding", "gpu/rows"),
        InlineData("Intel8", DType.Float32, "SDXL text keys", "gpu/tiles"),
            InlineData("Intel8", DType.BFloat16, "float16 weights", "gpu/tiles")]
    public void Choose_ByDeviceAndTypes_TakesTheExpectedVariant(string unit, DType dtype, string name, string variant)
    {
        var @case = Find(nameof(MatMul), name, dtype);
        TensorType[] types = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
        Assert.Equal(variant, @case.Op.Kernels.Choose(new TranslatingDevice(Target(Enum.Parse<MatrixUnitKind>(unit))),
            new OpSignature(@case.Op, types, @case.Op.Infer(types))).Name);
    }

    private static GpuTarget Target(MatrixUnitKind unit) => GpuTarget.OpenClCpu() with
    {
        Architecture = "opencl-gpu",
        IsCpu = false,
        MaxGroupSize = 1024,
        Features = new()
        {
            MatrixUnit = unit,
            Matrix = unit == MatrixUnitKind.None ? MatrixTypes.None : MatrixTypes.Float16 | MatrixTypes.BFloat16 | MatrixTypes.Int8
        },
    };

    private static OpCase Find(string op, string name, DType dtype)
    {
        var @case = OpCatalog.Cases.Single(c => c.Op.Name == op).Cases.Single(c => c.Name == name);
        return dtype == DType.Float32 ? @case : @case.With(dtype)!;
    }

    private static double[] Run(Device device, OpCase @case)
    {
        using var bound = new BoundCase(device, @case, outputPadding: 3, variant: Variant);
        bound.Run();
        return bound.Read();
    }
}
