using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Every case of every op that has GPU kernels, on every GPU device present, against the op's float64 definition.</summary>
public sealed class OpCaseGpuTests
{
    /// <summary>Device and case. Ops without GPU kernels are not listed: <see cref="Op_WithoutGpuKernel_IsListed"/> counts them.</summary>
    public static TheoryData<string, string> DevicesAndCases => Rows(_ => true);

    public static TheoryData<string, string> InPlace => Rows(c => c.Op.MayRunInPlace);

    /// <summary>Device and case, for cases that can have activations in 16 bits.</summary>
    public static TheoryData<string, string> SixteenBitCases => Rows(c => c.With(DType.Float16) is not null);

    public static TheoryData<Type> Ops => [.. OpCatalog.Ops];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(DevicesAndCases))]
    public void Case_OnGpu_MatchesReference(string id, string name)
    {
        var device = TestDevices.Open(id);
        OpReference.Verify(name, OpCatalog.Run(device, OpCatalog.Find(name).Case).Values);
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(SixteenBitCases))]
    public void Case_OnGpuIn16Bits_MatchesReference(string id, string name)
    {
        var device = TestDevices.Open(id);
        foreach (var dtype in new[] { DType.Float16, DType.BFloat16 })
        {
            var @case = OpCatalog.Find(name).Case.With(dtype)!;
            OpReference.Verify(@case, OpCatalog.Run(device, @case).Values);
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(InPlace))]
    public void Case_InPlaceOnGpu_MatchesReference(string id, string name)
    {
        using var bound = new BoundCase(TestDevices.Open(id), OpCatalog.Find(name).Case, outputPadding: 0, inPlace: true);
        bound.Run();
        OpReference.Verify(name, bound.Read());
    }

    /// <summary>
    /// Every op either has a kernel for both GPU backends or is listed in <see cref="NotYetOnGpus"/>, never both.
    /// </summary>
    [Theory, MemberData(nameof(Ops))]
    public void Op_WithoutGpuKernel_IsListed(Type op)
    {
        var kernels = OpCatalog.Cases.Single(c => c.Op == op).Cases.First().Op.Kernels;
        bool everywhere = new[] { Backends.Cuda, Backends.OpenCL }.All(backend => kernels.Variants.Any(v => v.Backends.HasFlag(backend)));
        Assert.True(everywhere != NotYetOnGpus.Ops.Contains(op), everywhere
            ? $"{op.Name} has GPU kernels: remove it from NotYetOnGpus."
            : $"{op.Name} has no kernel for both CUDA and OpenCL, and NotYetOnGpus does not list it.");
    }

    private static TheoryData<string, string> Rows(Func<OpCase, bool> filter)
    {
        var rows = new TheoryData<string, string>();
        foreach (string device in TestDevices.Gpus)
        {
            if (!device.Contains(':', StringComparison.Ordinal)) rows.Add(device, "any case"); // one visible skip
            else foreach (var @case in OpCatalog.Cases.Where(c => !NotYetOnGpus.Ops.Contains(c.Op)).SelectMany(c => c.Cases).Where(filter))
                rows.Add(device, @case.ToString());
        }

        return rows;
    }
}
