using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

public class MaskedRegionTests
{
    [Fact]
    public void Find_ReferenceMasks_GivesTheirRegions()
    {
        foreach (var recorded in ReferenceImages.Cases("region"))
            Assert.Equal(recorded.Region(), MaskedRegion.Find(ReferenceImages.Load(recorded.Text("mask")), recorded.Number("width"),
                recorded.Number("height"), recorded.Number("padding")));
    }

    [Fact]
    public void Find_BlackMask_SaysSo() =>
        Assert.Contains("black", Assert.Throws<ArgumentException>(() => MaskedRegion.Find(new Image(4, 4, new byte[48]), 8, 8, 2)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Overlay_ReferencePictures_GivesTheirBits()
    {
        var source = ReferenceImages.Load("source.png");
        foreach (var recorded in ReferenceImages.Cases("overlay"))
        {
            bool part = recorded.TryGetProperty("region", out _);
            ReferenceImages.AssertSame(recorded, part
                ? MaskedRegion.Overlay(ReferenceImages.Load(recorded.Text("mask")), source, ReferenceImages.Load("part.png"),
                    recorded.Region())
                : MaskedRegion.Overlay(ReferenceImages.Load("mask.png"), source, ReferenceImages.Load("painted.png")));
        }
    }

    [Fact]
    public void Overlay_BlackAndWhiteMask_TakesEachPixelUnchanged()
    {
        Image mask = new(2, 1, [0, 0, 0, 255, 255, 255]), before = new(2, 1, [1, 2, 3, 4, 5, 6]),
            painted = new(2, 1, [11, 12, 13, 14, 15, 16]) { Parameters = "a cat" };
        var result = MaskedRegion.Overlay(mask, before, painted);
        Assert.Equal([1, 2, 3, 14, 15, 16], result.Pixels);
        Assert.Equal("a cat", result.Parameters);
        Assert.Contains("mask has 1×1", Assert.Throws<ArgumentException>(
            () => MaskedRegion.Overlay(new Image(1, 1, new byte[3]), before, painted)).Message, StringComparison.Ordinal);
    }
}
