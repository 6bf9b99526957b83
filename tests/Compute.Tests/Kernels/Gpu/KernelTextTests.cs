using System.Text.RegularExpressions;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Checks the PTX of every kernel that the cases of an op need, without a GPU, for code that is slow or that a driver would refuse.
/// </summary>
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
            Assert.False(Regex.IsMatch(artifact.Text, @"^\s*\.extern\s+\.func", RegexOptions.Multiline),
                $"{source}: the text calls an undefined function.");
            Assert.True(artifact.SharedBytes <= StaticSharedBytes, $"{source}: {artifact.SharedBytes} bytes of shared memory.");
        }
    }

    /// <summary>
    /// A branch that depends on a value makes no promise about the lanes of a warp (<c>.uni</c>), because ILGPU makes it where they
    /// differ; all other guarded branches must not be marked.
    /// </summary>
    [Theory, MemberData(nameof(Ops))]
    public void Branches_ThatDependOnAValue_PromiseNothingOfOtherLanes(string op)
    {
        foreach (var (_, _, source, artifact) in CudaKernels.Of(9, 0).Where(k => k.Op == op))
        {
            string[] promises = [.. Instructions(artifact)
                .Where(line => line.Contains(".uni", StringComparison.Ordinal) && !Regex.IsMatch(line, @"^bra\.uni\s+\w+;$"))];
            Assert.True(promises.Length == 0, $"{source}: {string.Join(" | ", promises.Distinct().Take(5))}");
        }
    }

    /// <summary>
    /// The branch depends on the lane's number, which ILGPU treats as equal in all lanes: without our correction it would be marked
    /// <c>.uni</c>.
    /// </summary>
    [Fact]
    public void Branch_OnALanesNumber_IsAnOrdinaryOne()
    {
        var text = KernelCompiler.Compile(KernelSource.Of(FirstLaneAlone, 64), GpuTarget.Cuda(9, 0));
        Assert.Contains(Instructions(text), line => Regex.IsMatch(line, @"^@!?%p\d+\s+bra\s+\w+;$"));
        Assert.DoesNotContain(Instructions(text), line => Regex.IsMatch(line, @"^@!?%p\d+\s+\S+\.uni\b"));
    }

    [Theory]
    [InlineData("\t@%p12 bra.uni L_3;\n\tbra.uni L_4;\n", "\t@%p12 bra L_0;\n\tbra.uni L_1;\n")]
    [InlineData("\t@!%p1\tbra.uni L_3;\n", "\t@!%p1\tbra L_0;\n")]
    [InlineData("\tbrx.idx.uni %r1, L_3;\n", "\tbrx.idx %r1, L_0;\n")]
    public void Patch_OfPromises_KeepsUnconditionalOnes(string written, string expected) => Assert.Equal(expected, PtxText.Patch(written));

    private static void FirstLaneAlone(ILGPU.ArrayView<float> values)
    {
        if (SubGroup.Lane() == 0) values[ILGPU.Group.IdxX] = 1;
    }

    private static IEnumerable<string> Instructions(KernelArtifact artifact) =>
        artifact.Text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>
    /// Shows with the first case of each op that <see cref="Kernels_InPtx_StayInRegistersAndCallNothing"/> need not compile for the other
    /// architectures.
    /// </summary>
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
