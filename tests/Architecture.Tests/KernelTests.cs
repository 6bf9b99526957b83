using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>Code that kernels must not contain, because ILGPU 1.5.3 compiles it wrongly.</summary>
public sealed class KernelTests
{
    [Fact]
    public void Barriers_OutsideBlock_AreNotUsed()
    {
        string[] bare = [.. Repository.Sources("Compute")
            .Where(f => Path.GetFileName(f) != "Block.cs" && UsesABareBarrier(File.ReadAllText(f)))];
        Assert.Empty(bare);
    }

    [Theory, InlineData("XMath.Tanh(x)"), InlineData("XMath.Sin(x)"), InlineData("XMath.Cos(x)")]
    public void UsesAnInaccurateFunction_PlantedCall_IsTrue(string call) => Assert.True(UsesAnInaccurateFunction(call));

    [Fact]
    public void InaccurateFunctions_InCompute_AreNotUsed() =>
        Assert.DoesNotContain(Repository.Sources("Compute"), f => UsesAnInaccurateFunction(File.ReadAllText(f)));

    [Fact]
    public void UsesABareBarrier_PlantedText_TellsCallsFromWords()
    {
        Assert.True(UsesABareBarrier("    Group.Barrier();"));
        Assert.True(UsesABareBarrier("ILGPU.Group . BarrierPopCount(x)"));
        Assert.False(UsesABareBarrier("Block.Sync(); // a barrier"));
    }

    private static bool UsesABareBarrier(string source) => Regex.IsMatch(source, @"\bGroup\s*\.\s*Barrier");

    private static bool UsesAnInaccurateFunction(string source) => Regex.IsMatch(source, @"\bXMath\s*\.\s*(Tanh|Sin|Cos|Tan)\b");
}
