using System.Text.RegularExpressions;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The PTX of every kernel that the cases of an op need, without a GPU: what would make it slow or keep a driver from loading it.</summary>
public sealed class KernelTextTests
{
    private const int StaticSharedBytes = 49152;
    private static readonly TranslatingDevice Hopper = new(GpuTarget.Cuda(9, 0));

    public static TheoryData<string> Ops => [.. OpCatalog.Cases.Where(c => !NotYetOnGpus.Ops.Contains(c.Op)).Select(c => c.Op.Name)];

    [Theory, MemberData(nameof(Ops))]
    public void Kernels_InPtx_StayInRegistersAndCallNothing(string op)
    {
        OpCase[] cases = [.. OpCatalog.Cases.Single(c => c.Op.Name == op).Cases];
        foreach (var @case in cases.Concat(cases.Select(c => c.With(DType.BFloat16)).OfType<OpCase>()))
            Hopper.Bind(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)));
        foreach (var (source, artifact) in Hopper.Artifacts)
        {
            Assert.False(artifact.Text.Contains(".local", StringComparison.Ordinal), $"{source}: the text uses local memory.");
            Assert.False(Regex.IsMatch(artifact.Text, @"^\s*\.extern\s+\.func", RegexOptions.Multiline), $"{source}: the text calls a function that nobody has.");
            Assert.True(artifact.SharedBytes <= StaticSharedBytes, $"{source}: {artifact.SharedBytes} bytes of shared memory.");
        }
    }
}
