using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Sums and maxima of rows by exchange within sub-groups: every case of the ops that need them, and the kernels' texts.
/// </summary>
public sealed class SubGroupTests
{
    private static readonly Lazy<OpenClDevice> Device = new(() => SoftLanes.Open(new Translator()));

    private static readonly Type[] Reducing = [typeof(LayerNormalization), typeof(RmsNormalization), typeof(GroupNormalization),
        typeof(Softmax), typeof(Quantize), typeof(QuantizeScale), typeof(RescaleGuidance), typeof(DynamicThreshold)];

    // A CPU's driver needs half a second for each kernel, so weights of other types and similar cases are left out.
    public static TheoryData<string> Cases =>
        [.. OpCatalog.Cases.Where(c => Reducing.Contains(c.Op) && c.Op != typeof(Quantize) && c.Op != typeof(RescaleGuidance))
        .SelectMany(c => c.Cases).Where(c => c.Inputs.All(i => i.DType == DType.Float32)).Select(c => c.ToString())];

    public static TheoryData<string> Ops => [.. Reducing.Select(op => op.Name)];

    [Theory, MemberData(nameof(Cases))]
    public void Case_WithSubGroups_MatchesReference(string name) =>
        OpReference.Verify(name, OpCatalog.Run(Device.Value, OpCatalog.Find(name).Case).Values);

    [Theory, MemberData(nameof(Ops))]
    public void Text_OfAReduction_ExchangesWithinWarps(string op)
    {
        var @case = OpCatalog.Cases.Single(c => c.Op.Name == op).Cases.First();
        foreach (var (target, exchange) in new[]
        {
            (GpuTarget.Cuda(8, 0), "shfl.sync.bfly.b32 "),
            (OpenCl(SubGroupKind.Khronos), "sub_group_shuffle_xor("),
            (OpenCl(SubGroupKind.Intel), "#define ILGD_SUB_GROUPS_INTEL"),
        })
        {
            var device = new TranslatingDevice(target);
            device.Bind(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)));
            Assert.Contains(device.Artifacts.Values,
                a => a.Text.Contains(exchange, StringComparison.Ordinal)
                    && (target.Language == GpuLanguage.Ptx || a.Text.Contains("=  ilgd_exchange(", StringComparison.Ordinal)));
        }

        var plain = new TranslatingDevice(OpenCl(SubGroupKind.None));
        plain.Bind(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)));
        Assert.DoesNotContain(plain.Artifacts.Values, a => a.Text.Contains("=  ilgd_exchange(", StringComparison.Ordinal));
    }

    [Fact]
    public void Case_WithExchangeByHalves_IsFoundToBeWrong()
    {
        using var device = SoftLanes.Open(new Translator(),
            text => text.Contains("void probe(", StringComparison.Ordinal) ? text
                : text.Replace("sub_group_shuffle_xor(value, (uint)(distance))", "sub_group_shuffle_xor(value, (uint)(distance) & 15u)",
                    StringComparison.Ordinal));
        var @case = OpCatalog.Cases.Single(c => c.Op == typeof(QuantizeScale)).Cases.Single(c => c.Name == "odd width");
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => OpReference.Verify(@case, OpCatalog.Run(device, @case).Values));
    }

    private static GpuTarget OpenCl(SubGroupKind kind) =>
        GpuTarget.OpenClCpu() with
        {
            Architecture = "opencl-gpu",
            IsCpu = false,
            Features = new() { SubGroups = kind, SubGroupSize = kind == SubGroupKind.None ? 0 : 32 }
        };
}
