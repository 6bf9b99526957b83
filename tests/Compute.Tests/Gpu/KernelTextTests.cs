using System.Text.RegularExpressions;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The PTX of every kernel that the cases of an op need, without a GPU: what would make it slow or keep a driver from loading it.</summary>
public sealed class KernelTextTests
{
    private const int StaticSharedBytes = 49152;

    public static TheoryData<string> Ops => [.. OpCatalog.Cases.Where(c => !NotYetOnGpus.Ops.Contains(c.Op)).Select(c => c.Op.Name)];

    [Theory, MemberData(nameof(Ops))]
    public void Kernels_InPtx_StayInRegistersAndCallNothing(string op)
    {
        foreach (var (_, _, source, artifact) in CudaKernels.Of(9, 0).Where(k => k.Op == op))
        {
            Assert.Contains($".visible .entry {artifact.Entry}(", artifact.Text, StringComparison.Ordinal);
            Assert.False(artifact.Text.Contains(".local", StringComparison.Ordinal), $"{source}: the text uses local memory.");
            Assert.False(Regex.IsMatch(artifact.Text, @"^\s*\.extern\s+\.func", RegexOptions.Multiline), $"{source}: the text calls a function that nobody has.");
            Assert.True(artifact.SharedBytes <= StaticSharedBytes, $"{source}: {artifact.SharedBytes} bytes of shared memory.");
        }
    }

    /// <summary>The other architectures need no compilation of their own in <see cref="Kernels_InPtx_StayInRegistersAndCallNothing"/>: that is shown with the first case of each op.</summary>
    [Theory, MemberData(nameof(Ops))]
    public void Kernels_ForOtherArchitectures_DifferInTheTargetAlone(string op)
    {
        var first = OpCatalog.Cases.Single(c => c.Op.Name == op).Cases.First();
        var hopper = new TranslatingDevice(GpuTarget.Cuda(9, 0));
        hopper.Bind(first.Op, first.Inputs.Select(i => new TensorType(i.DType, i.Shape)));
        var (source, artifact) = hopper.Artifacts.MaxBy(a => a.Value.Text.Length);
        foreach (var (major, minor) in new[] { (8, 0), (8, 6), (8, 9) })
        {
            string text = KernelCompiler.Compile(source, GpuTarget.Cuda(major, minor)).Text, target = $".target sm_{major}{minor}";
            Assert.Contains(target, text, StringComparison.Ordinal);
            Assert.Equal(artifact.Text, text.Replace(target, ".target sm_90", StringComparison.Ordinal));
        }
    }
}
