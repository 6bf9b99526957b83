using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The channel order of PyTorch, and that the two ops are inverses.</summary>
public sealed class PixelShuffleTests
{
    // torch.arange(16).view(1, 2, 2, 4) and torch.nn.PixelUnshuffle(2) of it, [1, 8, 1, 2], by the formula of PyTorch's documentation.
    private static readonly float[] Planes = [.. Enumerable.Range(0, 16).Select(i => (float)i)];
    private static readonly float[] Unshuffled = [0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15];

    public static TheoryData<string> Images => [.. OpCatalog.Cases.Single(c => c.Op == typeof(PixelUnshuffle)).Cases.Select(c => c.Name)];

    [Fact]
    public void Unshuffle_OfTwoChannels_OrdersThemAsPyTorch() =>
        Assert.Equal(Unshuffled, OpRunner.Run(new PixelUnshuffle(2), Image([1, 2, 2, 4], Planes)).Planes());

    [Fact]
    public void Shuffle_OfEightChannels_OrdersThemAsPyTorch() =>
        Assert.Equal(Planes, OpRunner.Run(new PixelShuffle(2), Image([1, 8, 1, 2], Unshuffled)).Planes());

    [Theory, MemberData(nameof(Images))]
    public void Shuffle_OfUnshuffledImage_IsTheImage(string name)
    {
        var @case = OpCatalog.Cases.Single(c => c.Op == typeof(PixelUnshuffle)).Cases.Single(c => c.Name == name);
        var image = @case.Inputs[0];
        var back = OpRunner.Run(new PixelShuffle(((PixelUnshuffle)@case.Op).Factor), OpRunner.Run(@case.Op, image));
        Assert.Equal(image.Shape, back.Shape);
        Assert.Equal(image.Floats(), back.Floats());
    }

    private static CaseTensor Image(Shape planes, float[] values) => OpRunner.Run(new NchwToNhwc(), new CaseTensor(planes, i => values[i]));
}
