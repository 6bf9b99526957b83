using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Seeds are interpreted as by torch.Generator.manual_seed: two's complement in 64 bits, of which mt19937 takes the lower 32.
/// </summary>
public sealed class SeedTests
{
    [Fact]
    public void Seed_NegativeNumber_Is2To64PlusIt()
    {
        Assert.Equal(ulong.MaxValue, ((Seed)(-1)).Value); // torch.Generator().manual_seed(-1).initial_seed() == 18446744073709551615
        Assert.Equal(1UL << 63, ((Seed)long.MinValue).Value);
        Assert.Equal((Seed)ulong.MaxValue, (Seed)(-1));
        Assert.Equal(new TorchGenerator(0xffffffff).NextUInt32(), new TorchGenerator(-1).NextUInt32());
        Assert.Equal(new TorchGenerator(0).NextUInt32(), new TorchGenerator(long.MinValue).NextUInt32());
        Assert.Equal(new TorchGenerator(ulong.MaxValue - 2).NextUInt32(), new TorchGenerator(-3).NextUInt32());
    }

    [Theory]
    [InlineData("0", 0UL), InlineData("7", 7UL), InlineData("-1", ulong.MaxValue), InlineData("-9223372036854775808", 1UL << 63),
        InlineData("9223372036854775808", 1UL << 63)]
    [InlineData("18446744073709551615", ulong.MaxValue)]
    public void TryParse_TorchsWholeRange_IsAccepted(string text, ulong expected)
    {
        Assert.True(Seed.TryParse(text, out var seed));
        Assert.Equal(expected, seed.Value);
        Assert.True(Seed.TryParse(seed.ToString(), out var again));
        Assert.Equal(seed, again);
    }

    [Theory, InlineData(null), InlineData(""), InlineData("18446744073709551616"), InlineData("-9223372036854775809"), InlineData("1.5"),
        InlineData(" 1"), InlineData("1,000"), InlineData("0x1")]
    public void TryParse_OtherText_IsFalse(string? text) => Assert.False(Seed.TryParse(text, out _));

    [Fact]
    public void Plus_PastTheLargest_GoesOnFrom0()
    {
        Assert.Equal((Seed)8, ((Seed)7).Plus(1));
        Assert.Equal((Seed)1, ((Seed)ulong.MaxValue).Plus(2));
    }
}
