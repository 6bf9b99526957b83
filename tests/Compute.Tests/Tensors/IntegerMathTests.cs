using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

public sealed class IntegerMathTests
{
    [Theory, InlineData(0, 4, 0), InlineData(1, 4, 1), InlineData(4, 4, 1), InlineData(5, 4, 2), InlineData(7, 1, 7)]
    public void CeilDiv_PartialBlock_IsCounted(int count, int size, int expected)
    {
        Assert.Equal(expected, IntegerMath.CeilDiv(count, size));
        Assert.Equal(expected * size, IntegerMath.RoundUp(count, size));
    }

    [Fact]
    public void CeilDiv_OfLong_DoesNotOverflowInt() => Assert.Equal(1L << 31, IntegerMath.CeilDiv((1L << 32) - 1, 2));
}
