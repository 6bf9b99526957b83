using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Kernels that access four elements at once: correct results on devices, and vector accesses in PTX.</summary>
public sealed class WideAccessTests
{
    // Widths are multiples of four; the tests set pitches.
    private static readonly OpCase[] Cases =
    [
        new("silu", new Unary(UnaryFunction.Silu), [CaseTensor.Normal([5, 24], 1)], 1e-6),
        new("geglu", new GeGlu(), [CaseTensor.Normal([5, 48], 1)], 1e-6),
        new("sum", new Binary(BinaryFunction.Add), [CaseTensor.Normal([2, 3, 24], 1), CaseTensor.Normal([2, 1, 24], 2)], 1e-6),
        new("scaled rows", new Binary(BinaryFunction.Multiply), [CaseTensor.Normal([5, 24], 1), CaseTensor.Normal([5, 1], 2)], 1e-6),
        new("concat", new Concat(-1), [CaseTensor.Normal([5, 24], 1), CaseTensor.Normal([5, 16], 2)], 0),
        new("layer norm", new LayerNormalization(1e-5),
            [CaseTensor.Normal([5, 140], 1), CaseTensor.Normal([140], 2), CaseTensor.Normal([140], 3)], 3e-6),
        new("rms norm", new RmsNormalization(1e-6), [CaseTensor.Normal([5, 140], 1), CaseTensor.Normal([140], 2)], 3e-6),
        new("softmax", new Softmax(), [CaseTensor.Normal([5, 140], 1, 3)], 3e-6),
        new("group norm", new GroupNormalization(4, 1e-5, Silu: true),
            [CaseTensor.Normal([2, 3, 4, 24], 1), CaseTensor.Normal([24], 2), CaseTensor.Normal([24], 3)], 5e-6),
        new("chain", new Elementwise(
            [new(new Binary(BinaryFunction.Add)), new(new Unary(UnaryFunction.Silu)), new(new Binary(BinaryFunction.Multiply))]),
            [CaseTensor.Normal([2, 3, 24], 1), CaseTensor.Normal([2, 1, 24], 2), CaseTensor.Normal([2, 3, 24], 3)], 2e-6),
    ];

    public static TheoryData<string, string> OnGpus
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (string device in TestDevices.Gpus)
                foreach (var @case in Cases) rows.Add(device, @case.Name);
            return rows;
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(OnGpus))]
    public void Kernel_FourAtOnce_MatchesReference(string id, string name)
    {
        var @case = Cases.Single(c => c.Name == name);
        string variant = @case.Op.Kernels.Variants.Single(v => v.Backends.HasFlag(Backends.OpenCL)).Name;
        foreach (var typed in new[] { @case, @case.With(DType.BFloat16)! })
        {
            using var bound = new BoundCase(TestDevices.Open(id), typed, outputPadding: 8, variant: variant,
                settings: KernelSettings.Default.With(Access.Everywhere, 1));
            bound.Run();
            OpReference.Verify(typed, bound.Read());
        }
    }

    public static TheoryData<string> Names => [.. Cases.Select(c => c.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Code_WherePitchesAllow_ReadsAndWritesFourAtOnce(string name)
    {
        var @case = Cases.Single(c => c.Name == name);
        foreach (var (gap, wide) in new[] { (0, true), (4, true), (3, false) })
        {
            var hopper = new TranslatingDevice(GpuTarget.Cuda(9, 0));
            hopper.Bind(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)), gap: gap);
            // a norm's other kernels sum
            foreach (var (source, artifact) in hopper.Artifacts.Where(a =>
                a.Key.ToString().Contains("Access", StringComparison.Ordinal) || @case.Op is Concat))
            {
                Assert.True(wide == artifact.Text.Contains("ld.global.v4.f32", StringComparison.Ordinal),
                    $"{source}: with a gap of {gap} elements reads {(wide ? "one" : "four")} at a time.");
                Assert.False(artifact.Text.Contains(".local", StringComparison.Ordinal), $"{source}: the text uses local memory.");
                Assert.Equal(wide, artifact.Text.Contains("st.global.v4.f32", StringComparison.Ordinal));
            }
        }
    }
}
