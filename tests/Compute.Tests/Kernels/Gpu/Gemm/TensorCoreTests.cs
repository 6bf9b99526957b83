using System.Text.RegularExpressions;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// GEMMs on tensor cores without a GPU: the same C# kernels, with matrix instructions, asynchronous copies and shared addresses defined
/// in plain OpenCL C, run on the CPU. A read without a barrier, or of a copy that was not waited for, gives NaN; planted mistakes check
/// this.
/// </summary>
public sealed partial class TensorCoreTests
{
    private const string Variant = "cuda/tensor-cores";
    private const int Loads = 12; // of four matrices each, in a step of K
    private static readonly Lazy<OpenClDevice> Device = new(() => SoftLanes.Open(new Translator()));

    /// <summary>
    /// Op, case, type: rows, columns and depth that do and do not fill tiles, copies by pieces and by elements, all epilogues.
    /// </summary>
    public static TheoryData<string, string, DType> Cases
    {
        get
        {
            var rows = new TheoryData<string, string, DType>();
            void Add(DType dtype, Type op, params string[] names) => Array.ForEach(names, name => rows.Add(op.Name, name, dtype));
            Add(DType.BFloat16, typeof(MatMul),
                ["nine rows", "one over a block of columns", "SDXL text keys", "SDXL attention out, part",
                    .. EpilogueNames.Select(e => $"{e} after many rows")]);
            Add(DType.Float16, typeof(MatMul), "odd sizes", "column views, many rows");
            Add(DType.BFloat16, typeof(Conv2D), "SDXL, part of 16 by 16", "stride 2, padded after only", "5 by 5", "pointwise");
            Add(DType.Float16, typeof(Conv2D), "latents in", "Winograd's size, odd in all ways");
            Add(DType.BFloat16, typeof(GatedMatMul), "SDXL, part");
            Add(DType.Float16, typeof(GatedMatMul), "column view");
            Add(DType.BFloat16, typeof(GroupedMatMul), "self-attention");
            Add(DType.BFloat16, typeof(ScaledDotProductAttention), "text keys", "SDXL, part of 16 by 16", "causal, CLIP", "several parts",
                "mask per query", "query without keys gives 0", "query with all keys at the lowest float", "VAE head of 512");
            foreach (int head in new[] { 80, 128, 160 })
                foreach (var dtype in new[] { DType.BFloat16, DType.Float16 })
                    Add(dtype, typeof(ScaledDotProductAttention), $"head {head}, odd tokens", $"head {head}, text keys");
            Add(DType.Float16, typeof(ScaledDotProductAttention), "odd head", "values wider than keys", "one key",
                "mask per head, query and key", "column views of one buffer", "VAE head of 512");
            Add(DType.BFloat16, typeof(ScaledDotProductAttention), InOnePart("text keys"), InOnePart("SDXL, part of 16 by 16"),
                InOnePart("causal, CLIP"), InOnePart("mask per query"), InOnePart("query without keys gives 0"),
                InOnePart("head 160, text keys"), InOnePart("VAE head of 512"));
            Add(DType.Float16, typeof(ScaledDotProductAttention), InOnePart("text keys"), InOnePart("SDXL, part of 16 by 16"),
                InOnePart("head 80, odd tokens"));
            return rows;

            static string InOnePart(string name) => $"{name}, weights in one part";
        }
    }

    private static string[] EpilogueNames => ["entry", "silu", "gelu", "tanh gelu", "quick gelu", "scale", "residual", "all"];

    [Theory, MemberData(nameof(Cases))]
    public void Case_OnTensorCores_MatchesReference(string op, string name, DType dtype)
    {
        var @case = Find(op, name, dtype);
        OpReference.Verify(@case, Run(Device.Value, @case));
    }

    /// <summary>Op and case in float32: vector copies and copies by words, an epilogue, an image, gates, several weights.</summary>
    [Theory]
    [InlineData(nameof(MatMul), "SDXL attention out, part"), InlineData(nameof(MatMul), "column views, many rows")]
    [InlineData(nameof(MatMul), "all after many rows"), InlineData(nameof(Conv2D), "SDXL, part of 16 by 16")]
    [InlineData(nameof(Conv2D), "Winograd's size, odd in all ways"), InlineData(nameof(GatedMatMul), "SDXL, part")]
    [InlineData(nameof(GroupedMatMul), "self-attention")]
    public void Case_InTensorFloat32_RoundsOperandsAlone(string op, string name)
    {
        var @case = OpCatalog.Cases.Single(c => c.Op.Name == op).Cases.Single(c => c.Name == name);
        double[] result = Run(Device.Value, @case, MatrixGemmLaunches.TensorFloat32);
        OpReference.Verify(TensorFloat32.Rounded(@case), result);
        OpReference.Verify(TensorFloat32.Near(@case), result);
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => OpReference.Verify(@case, result)); // whole numbers give another result
    }

    /// <summary>Mistakes in the text that PTX would have too: each must be detected.</summary>
    [Theory]
    [InlineData("no barrier behind the wait", @"(ilgd_copy_wait\(1\);\s*)barrier\([^)]*\);", "$1")]
    [InlineData("one copy too few waited for", @"ilgd_copy_wait\(1\)", "ilgd_copy_wait(2)")]
    [InlineData("a piece of the wrong place", @"ilgd_load_matrices\((var\d+), (var\d+)\)", "ilgd_load_matrices($1, $2 ^ 16)")]
    [InlineData("operands exchanged", @"ilgd_mma_bf16\((var\d+), (var\d+), (var\d+), (var\d+)\)", "ilgd_mma_bf16($1, $2, $3, $3)")]
    public void Mistake_InTheText_IsFound(string mistake, string right, string wrong)
    {
        using var device = SoftLanes.Open(new Translator(), text =>
        {
            if (!text.Contains("ilgd_mma", StringComparison.Ordinal)) return text;
            string changed = new Regex(right).Replace(text, wrong, 1);
            Assert.NotEqual(text, changed);
            return changed;
        });
        var @case = Find(nameof(MatMul), "SDXL attention out, part", DType.BFloat16);
        double[] result = Run(device, @case);
        Assert.True(Record.Exception(() => OpReference.Verify(@case, result)) is Xunit.Sdk.XunitException,
            $"{mistake}: nothing was noticed.");
    }

    [Theory, InlineData(8, 0), InlineData(8, 6), InlineData(8, 9), InlineData(9, 0)]
    public void Ptx_OfGemms_UsesTensorCoresInTheSameOrderAsOpenCl(int major, int minor)
    {
        foreach (var (variant, dtype, instruction, roundings) in new[]
        {
            (Variant, DType.BFloat16, "m16n8k16.row.col.f32.bf16.bf16.f32", 0),
            (MatrixGemmLaunches.TensorFloat32, DType.Float32, "m16n8k8.row.col.f32.tf32.tf32.f32", 4 * Loads),
        })
            CheckPtx(new TranslatingDevice(GpuTarget.Cuda(major, minor)), variant, dtype, instruction, roundings);
    }

    private static void CheckPtx(TranslatingDevice device, string variant, DType dtype, string instruction, int roundings)
    {
        foreach (var (op, name) in new[] { (nameof(MatMul), "SDXL text keys"), (nameof(Conv2D), "SDXL, part of 16 by 16"),
            (nameof(GatedMatMul), "SDXL, part") })
        {
            var @case = OpCatalog.Cases.Single(c => c.Op.Name == op).Cases.Single(c => c.Name == name);
            if (dtype != DType.Float32) @case = @case.With(dtype)!;
            foreach (int gap in new[] { MatrixGemm.Piece, 3 })
                device.Bind(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)), variant, gap: gap);
        }

        var gemms = device.Artifacts.Where(a => a.Key.ToString().StartsWith(nameof(MatrixGemm), StringComparison.Ordinal)).ToArray();
        Assert.Equal(3, gemms.Count(p => p.Key.ToString().Contains(nameof(WholePieces), StringComparison.Ordinal)));
        Assert.Equal(3, gemms.Count(p => p.Key.ToString().Contains(nameof(ElementPieces), StringComparison.Ordinal)));
        foreach (var (source, artifact) in gemms)
        {
            Assert.Equal(32, Regex.Count(artifact.Text, $@"\bmma\.sync\.aligned\.{Regex.Escape(instruction)}\b"));
            Assert.Equal(roundings, Regex.Count(artifact.Text, @"\bcvt\.rna\.tf32\.f32\b"));
            Assert.Equal(Loads, Regex.Count(artifact.Text, @"\bldmatrix\.sync\.aligned\.m8n8\.x4\.shared\.b16\b"));
            Assert.Equal(source.ToString().Contains(nameof(WholePieces), StringComparison.Ordinal) ? 4 : 0,
                Regex.Count(artifact.Text, @"\bcp\.async\.cg\.shared\.global\b"));
            Assert.DoesNotContain(".local", artifact.Text, StringComparison.Ordinal);
            Assert.InRange(artifact.SharedBytes, 1, 49152);
            Assert.Equal(Order(artifact.Text), Order(KernelCompiler.Compile(source, GpuTarget.OpenClCpu()).Text));
        }
    }

    [Theory, InlineData(8, 0), InlineData(9, 0)]
    public void Ptx_OfLargeHeads_UsesTensorCoresInTheSameOrderAsOpenCl(int major, int minor)
    {
        var device = new TranslatingDevice(GpuTarget.Cuda(major, minor));
        var @case = Find(nameof(ScaledDotProductAttention), "VAE head of 512", DType.BFloat16);
        foreach (int gap in new[] { MatrixGemm.Piece, 3 })
            device.Bind(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)), gap: gap);
        Assert.Equal(2, device.Artifacts.Count);
        foreach (var (source, artifact) in device.Artifacts)
        {
            Assert.Equal(2 * (2 + 2 * 3), Regex.Count(artifact.Text, @"\bmma\.sync\.aligned\.m16n8k16\.row\.col\.f32\.bf16\.bf16\.f32\b"));
            Assert.InRange(artifact.SharedBytes, 1, 49152);
            Assert.Equal(KernelOrder.Blocks(artifact), KernelOrder.Blocks(KernelCompiler.Compile(source, GpuTarget.OpenClCpu())));
        }
    }

    /// <summary>Only devices that have the instructions choose them, and only for supported types.</summary>
    [Theory]
    [InlineData(8, 0, DType.BFloat16, "SDXL text keys", Variant), InlineData(8, 9, DType.Float16, "SDXL text keys", Variant),
        InlineData(7, 5, DType.Float16, "SDXL text keys", "gpu/tiles")]
    [InlineData(9, 0, DType.BFloat16, "two rows, time embedding", "gpu/rows"),
        InlineData(9, 0, DType.Float32, "SDXL text keys", "gpu/tiles"), InlineData(9, 0, DType.BFloat16, "float16 weights", "gpu/tiles")]
    public void Choose_ByDeviceAndTypes_TakesTheExpectedVariant(int major, int minor, DType dtype, string name, string variant)
    {
        var @case = new MatMulCases().Cases.Single(c => c.Name == name);
        @case = dtype == DType.Float32 ? @case : @case.With(dtype)!;
        TensorType[] types = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
        Assert.Equal(variant, @case.Op.Kernels.Choose(new TranslatingDevice(GpuTarget.Cuda(major, minor)),
            new OpSignature(@case.Op, types, @case.Op.Infer(types))).Name);
    }

    /// <summary>As above, for float32 numbers that may be multiplied as TF32.</summary>
    [Theory]
    [InlineData(8, 0, DType.Float32, "SDXL text keys", MatrixGemmLaunches.TensorFloat32),
        InlineData(7, 5, DType.Float32, "SDXL text keys", "gpu/tiles")]
    [InlineData(9, 0, DType.Float32, "two rows, time embedding", "gpu/rows"),
        InlineData(9, 0, DType.Float32, "float16 weights", "gpu/tiles"), InlineData(8, 6, DType.Float16, "SDXL text keys", Variant)]
    public void Choose_InTensorFloat32_TakesTheExpectedVariant(int major, int minor, DType dtype, string name, string variant)
    {
        var @case = new MatMulCases().Cases.Single(c => c.Name == name);
        @case = dtype == DType.Float32 ? @case : @case.With(dtype)!;
        var plain = TranslatingDevice.Signature(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)));
        var signature = plain with { Float32Precision = Float32Precision.TensorFloat32 };
        Assert.Equal(variant, @case.Op.Kernels.Choose(new TranslatingDevice(GpuTarget.Cuda(major, minor)), signature).Name);
        Assert.NotEqual(TuningTable.ClassOf(plain), TuningTable.ClassOf(signature)); // results of one are none of the other
    }

    private static OpCase Find(string op, string name, DType dtype) =>
        OpCatalog.Cases.Single(c => c.Op.Name == op).Cases.Single(c => c.Name == name).With(dtype)!;

    private static string VariantOf(OpCase @case) =>
        @case.Op is ScaledDotProductAttention op && @case.Inputs.Take(3).Max(i => i.Shape.Last) / op.Heads > TensorCoreAttention.MostDepth
            ? AttentionGpu.LargeHeads : Variant;

    private static double[] Run(Device device, OpCase @case, string? variant = null)
    {
        using var bound = new BoundCase(device, @case, outputPadding: 3, variant: variant ?? VariantOf(@case));
        bound.Run();
        return bound.Read();
    }

    /// <summary>
    /// The accesses of each basic block to shared memory and matrices, in order; blocks are sorted, because texts order them differently.
    /// </summary>
    private static string[] Order(string text)
    {
        string[] Letters(Regex label) =>
            [.. label.Split(text).Select(block => string.Concat(Steps().Matches(block).Select(m => m.Value switch
        {
            "bar.sync" or "barrier(" => 'B',
            "mma.sync" or "ilgd_mma_" => 'M',
            "ldmatrix" or "ilgd_load_" => 'L',
            "cp.async.cg" or "ilgd_copy_async" => 'C',
            "cp.async.commit" or "ilgd_copy_commit" => 'G',
            "cp.async.wait" or "ilgd_copy_wait" => 'W',
            "ld.shared" or "ilgd_shared_read" => 'r',
            _ => 's',
        }))).Where(letters => letters.Length > 0).Order(StringComparer.Ordinal)];
        return text.Contains(".entry", StringComparison.Ordinal) ? Letters(PtxLabel()) : Letters(ClLabel());
    }

    [GeneratedRegex(@"\bbar\.sync\b|\bmma\.sync\b|\bldmatrix\b|\bcp\.async\.(cg|commit|wait)|\bld\.shared\b|\bst\.shared\b|(?<=\s)(barrier\(|ilgd_(mma_|load_|copy_(async|commit|wait)|shared_(read|store)))")]
    private static partial Regex Steps();

    [GeneratedRegex(@"^\s*L_\d+:", RegexOptions.Multiline)]
    private static partial Regex PtxLabel();

    [GeneratedRegex(@"^\s*L_\d+: ;", RegexOptions.Multiline)]
    private static partial Regex ClLabel();
}
