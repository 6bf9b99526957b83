using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Settings of CPU kernels affect only speed: no value changes a bit of any result.</summary>
public sealed class SettingsTests
{
    private static readonly OpCase[] Larger =
    [
        new("large GEMM", new MatMul(),
            [CaseTensor.Normal([613, 700], 1), CaseTensor.Normal([1300, 700], 2, 0.03), CaseTensor.Normal([1300], 3)], 0),
        new("large convolution", new Conv2D(1, 1, 1),
            [CaseTensor.Normal([2, 33, 35, 48], 1), CaseTensor.Normal([70, 48, 3, 3], 2, 0.05), CaseTensor.Normal([70], 3)], 0),
        new("large strided convolution", new Conv2D(2, 1, 1),
            [CaseTensor.Normal([1, 33, 35, 48], 1), CaseTensor.Normal([70, 48, 3, 3], 2, 0.05), CaseTensor.Normal([70], 3)], 0),
        new("large attention", new ScaledDotProductAttention(3),
            [CaseTensor.Normal([1, 530, 120], 1), CaseTensor.Normal([1, 530, 120], 2), CaseTensor.Normal([1, 530, 120], 3)], 0),
        new("large gate", new GatedMatMul(),
            [CaseTensor.Normal([400, 64], 1), CaseTensor.Normal([160, 64], 2, 0.1), CaseTensor.Normal([160], 3)], 0),
    ];

    public static TheoryData<string> Tunable =>
        [.. Larger.Select(c => c.Name),
            .. OpCatalog.Cases.SelectMany(c => c.Cases).Where(c => Signature(c) is var s && c.Op.Bucket(s) is not null)
                .Select(c => c.ToString())];

    [Theory, MemberData(nameof(Tunable))]
    public void Settings_AnyValue_ChangeNoBit(string name)
    {
        var @case = Larger.SingleOrDefault(c => c.Name == name) ?? OpCatalog.Find(name).Case;
        using var device = new CpuDevice(threads: 2) { Tuning = TuningTable.None };
        foreach (var variant in @case.Op.Kernels.Candidates(device, Signature(@case)))
        {
            double[] expected = Run(KernelSettings.Default);
            foreach (var parameter in variant.Tuning.Parameters)
                foreach (int value in new[] { parameter.Values[0], parameter.Values[^1] })
                    Verify(KernelSettings.Default.With(parameter, value));
            Verify(variant.Tuning.Parameters.Aggregate(KernelSettings.Default, (s, p) => s.With(p, p.Values[0])));
            Verify(variant.Tuning.Parameters.Aggregate(KernelSettings.Default, (s, p) => s.With(p, p.Values[^1])));

            void Verify(KernelSettings settings) =>
                Assert.True(expected.SequenceEqual(Run(settings)),
                    $"{name}: {variant.Name} {settings} gives other bits than its defaults.");

            double[] Run(KernelSettings settings)
            {
                using var bound = new BoundCase(device, @case, outputPadding: 0, variant: variant.Name, settings: settings);
                bound.Run();
                return bound.Read();
            }
        }
    }

    [Fact]
    public void Catalog_TunableOps_IncludeTheExpectedOnes() =>
        Assert.Superset(new HashSet<string> { "matmul", "conv2d", "attention", "gated_matmul", "grouped_matmul", "quantized_matmul" },
            OpCatalog.Cases.SelectMany(c => c.Cases).Where(c => c.Op.Bucket(Signature(c)) is not null).Select(c => c.Op.Name).ToHashSet());

    [Theory, InlineData(1, 1), InlineData(3, 3), InlineData(5, 6), InlineData(77, 96), InlineData(96, 96), InlineData(97, 128),
        InlineData(4096, 4096), InlineData(4097, 6144)]
    public void Round_ToABucket_IsUpToHalfPowersOfTwo(long rows, int expected) => Assert.Equal(expected, ShapeBucket.Round(rows));

    [Fact]
    public void KernelTimer_EveryVariantOfACall_HasATime()
    {
        using var device = new CpuDevice(threads: 1) { Tuning = TuningTable.None };
        var call = FakeKernels.Gemm();
        using var timer = new KernelTimer(device, call, [1]);
        Assert.All(call.Op.Kernels.Candidates(device, call), v => Assert.InRange(timer.Time(new(v, KernelSettings.Default)), 1e-7, 1));
    }

    [Fact]
    public void Timer_AnArgumentDoesNotFit_FreesTheOthers()
    {
        using var device = new CpuDevice(threads: 1) { Tuning = TuningTable.None };
        var call = new OpSignature(new MatMul(), [new(DType.Float32, [2, 64]), new(DType.Float32, [32, 64])], new(DType.Float32, [2, 32]));
        device.MemoryLimit = 1024; // enough for all but the weight
        Assert.Throws<DeviceException>(() => new KernelTimer(device, call, [1]));
        Assert.Equal(0, device.AllocatedBytes);
    }

    private static OpSignature Signature(OpCase @case)
    {
        TensorType[] inputs = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
        return new OpSignature(@case.Op, inputs, @case.Op.Infer(inputs));
    }
}
