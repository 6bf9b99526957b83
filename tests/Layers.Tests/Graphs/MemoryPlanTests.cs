using CsCheck;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Layers.Tests;

public sealed class MemoryPlanTests
{
    private static readonly Gen<(int Bytes, int First, int Length)> GenBlock =
        Gen.Select(Gen.Int[1, 5000], Gen.Int[-1, 40], Gen.Int[0, 12]);

    [Fact]
    public void Place_AnyBlocks_NeverOverlapWhileAlive() => GenBlock.Array[1, 60].Sample(specs =>
    {
        var blocks = specs.Select(s => new MemoryPlan.Block(s.Bytes, s.First, s.First + s.Length)).ToArray();
        long arena = MemoryPlan.Place(blocks);
        Assert.All(blocks, b => Assert.True(b.Offset >= 0 && b.Offset % 64 == 0 && b.Offset + b.Bytes <= arena));
        for (int i = 0; i < blocks.Length; i++)
            for (int j = 0; j < i; j++)
                Assert.True(!blocks[i].MeetsInTime(blocks[j]) || blocks[i].Offset + blocks[i].Bytes <= blocks[j].Offset
                    || blocks[j].Offset + blocks[j].Bytes <= blocks[i].Offset);
        Assert.True(arena >= MemoryPlan.PeakLive(blocks, 60));
    }, iter: 2000);

    [Fact]
    public void Place_Chain_ReusesMemory()
    {
        var blocks = Enumerable.Range(0, 20).Select(i => new MemoryPlan.Block(1024, i, i + 1)).ToArray();
        Assert.Equal(2048, MemoryPlan.Place(blocks));
        Assert.Equal(2048, MemoryPlan.PeakLive(blocks, 20));
    }

    [Theory]
    [InlineData(4096, 2048, true)]
    [InlineData(0, 2048, true)]
    [InlineData(4096, 16384, false)] // larger: placed first
    public void Place_BlockOverAnother_BeginsAtItsStartWhereNothingElseLies(long lead, long bytes, bool overlaps)
    {
        var argument = new MemoryPlan.Block(8192, 0, 2) { Lead = lead };
        var beside = new MemoryPlan.Block(8192, 1, 5);
        var result = new MemoryPlan.Block(bytes, 2, 4) { Over = argument };
        var later = new MemoryPlan.Block(1024, 3, 5);
        MemoryPlan.Block[] blocks = [argument, beside, result, later];
        long arena = MemoryPlan.Place(blocks);
        Assert.Equal(overlaps, result.IsOver);
        Assert.Equal(argument.Offset + lead, argument.Start);
        if (overlaps) Assert.Equal(argument.Offset, result.Start);
        foreach (var (a, b) in blocks.SelectMany((a, i) => blocks.Skip(i + 1).Select(b => (a, b))))
            Assert.True(!a.MeetsInTime(b) || !a.MeetsInSpace(b, a.Offset) || result.IsOver && (a, b) == (argument, result));
        Assert.Equal(overlaps ? 16384 + lead : arena, arena);
        Assert.True(arena >= MemoryPlan.PeakLive(blocks, 6));
    }
}
