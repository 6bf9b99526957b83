using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>16-bit activations: ops accept the types, CPU kernels refuse them.</summary>
public sealed class ActivationTypeTests
{
    // Ops without activations: samplers and guidance compute in Float32; times and table look-ups produce it.
    private static readonly string[] Float32Only =
        [nameof(LinearCombination), nameof(DynamicThreshold), nameof(RescaleGuidance), nameof(SinusoidalEmbedding)];

    public static TheoryData<string> Ops => [.. OpCatalog.Ops.Select(op => op.Name).Except(Float32Only)];

    [Theory, MemberData(nameof(Ops))]
    public void Infer_Of16BitActivations_GivesTheirType(string op)
    {
        foreach (var dtype in new[] { DType.Float16, DType.BFloat16 })
        {
            OpCase[] cases = [.. SixteenBit.Cases(dtype).Where(c => c.Op.GetType().Name == op)];
            Assert.NotEmpty(cases);
            foreach (var @case in cases) Assert.Equal(Expected(@case.Op, dtype), Infer(@case).DType);
        }
    }

    [Theory, MemberData(nameof(Ops))]
    public void Choose_Of16BitActivationsOnCpu_SaysThatTheyAreFloat32(string op)
    {
        if (op is nameof(Cast) or nameof(Concat) or nameof(Slice) or nameof(Chunk) or nameof(EmbeddingLookup)) return; // copies of any type
        using var device = new CpuDevice(threads: 1);
        foreach (var @case in SixteenBit.Cases(DType.BFloat16).Where(c => c.Op.GetType().Name == op))
        {
            var signature = new OpSignature(@case.Op, [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))], Infer(@case));
            string message = Assert.Throws<DeviceException>(() => device.Kernels.Get(signature)).Message;
            Assert.StartsWith($"{@case.Op.Name}: no kernel for BFloat16[", message, StringComparison.Ordinal);
            Assert.EndsWith("on cpu; activations there are Float32.", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void With_OfOpsOfFloat32Only_GivesNothing() =>
        Assert.DoesNotContain(SixteenBit.Cases(DType.Float16), c => Float32Only.Contains(c.Op.GetType().Name));

    [Fact]
    public void Device_OfCpu_ComputesInFloat32()
    {
        using var device = new CpuDevice(threads: 1);
        Assert.Equal(DType.Float32, device.PreferredDType);
        Assert.Equal([DType.Float32], Enum.GetValues<DType>().Where(device.Computes));
    }

    private static TensorType Infer(OpCase @case) => @case.Op.Infer([.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))]);

    private static DType Expected(Op op, DType activations) => op switch
    {
        Cast cast => cast.To,
        EmbeddingLookup or QuantizeScale => DType.Float32,
        Quantize => DType.Int8,
        _ => activations,
    };
}
