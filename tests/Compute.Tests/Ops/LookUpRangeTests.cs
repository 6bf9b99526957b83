using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Look-ups outside a table's range are errors and read no other memory.</summary>
public sealed class LookUpRangeTests
{
    [Theory]
    [InlineData(DType.Int32, 5)]
    [InlineData(DType.Int32, -1)]
    [InlineData(DType.Int64, 5_000_000_000)]
    [InlineData(DType.Int64, long.MinValue)]
    public void Embedding_OfUnknownId_NamesItAndTheTable(DType dtype, long id)
    {
        var ids = new CaseTensor([2, 3], i => i == 4 ? id : i, dtype);
        var refused = Assert.Throws<ArgumentOutOfRangeException>(() =>
            OpRunner.Run(new EmbeddingLookup(), CaseTensor.Normal([5, 7], 1), ids));
        Assert.Contains("ids[4]", refused.Message, StringComparison.Ordinal);
        Assert.Contains("numbers must be 0 to 4", refused.Message, StringComparison.Ordinal);
        Assert.Equal(id, refused.ActualValue);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(-1)]
    public void SelectToken_OfUnknownToken_NamesItAndTheLength(int token)
    {
        var index = new CaseTensor([2], i => i == 1 ? token : 0, DType.Int32);
        var refused = Assert.Throws<ArgumentOutOfRangeException>(() =>
            OpRunner.Run(new SelectToken(), CaseTensor.Normal([2, 4, 7], 1), index));
        Assert.Contains("index[1]", refused.Message, StringComparison.Ordinal);
        Assert.Contains("0 to 3", refused.Message, StringComparison.Ordinal);
    }
}
