using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

public class MaskTests
{
    [Fact]
    public void Luma_ReferencePictures_GivesTheirBits()
    {
        foreach (var recorded in ReferenceImages.Cases("luma"))
        {
            var mask = ReferenceImages.Load(recorded.Text("mask"));
            byte[] pixels = [.. Mask.Luma(mask).SelectMany(level => (byte[])[level, level, level])];
            ReferenceImages.AssertSame(recorded, new Image(mask.Width, mask.Height, pixels));
        }

        // Pure red, green and blue: 0.299, 0.587 and 0.114 of 255.
        Assert.Equal([76, 150, 29, 255], Mask.Luma(new Image(4, 1, [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255])));
    }

    [Fact]
    public void From_LevelsAroundOneHalf_AreOneFromThereOn() =>
        Assert.Equal([0, 0, 1, 1], Mask.From(new Image(4, 1, [0, 0, 0, 127, 127, 127, 128, 128, 128, 255, 255, 255])).Values);

    [Fact]
    public void To_OtherSizes_TakesTheNearestBelow()
    {
        var mask = new Mask(4, 2, [1, 2, 3, 4, 5, 6, 7, 8]);
        Assert.Equal([1, 3], mask.To(2, 1).Values);
        Assert.Equal([1, 2, 3], mask.To(3, 1).Values); // 0, 4/3, 8/3
        Assert.Equal([1, 1, 2, 2, 3, 3, 4, 4], mask.To(8, 1).Values);
        Assert.Equal([1, 1, 5, 5], new Mask(1, 2, [1, 5]).To(2, 2).Values);
    }

    [Fact]
    public void Outside_PixelValues_KeepsWhatIsNotPainted()
    {
        Assert.Equal([-1f, 0.5f, 1f, 0, 0, 0], new Mask(2, 1, [0, 1]).Outside([-1f, 0.5f, 1f, 1f, 1f, 1f]));
        Assert.Throws<ArgumentException>(() => new Mask(2, 1, [0, 1]).Outside([1f]));
    }

    [Fact]
    public void ToMask_Picture_IsCutAndResizedFirst()
    {
        var image = new Image(4, 1, [0, 0, 0, 0, 0, 0, 255, 255, 255, 0, 0, 0]);
        Assert.Equal([1], ImageProcessor.ToMask(image, 1, 1, crop: new PixelBox(2, 0, 3, 1)).Values);
        Assert.Equal([0, 0, 1, 0], ImageProcessor.ToMask(image, 4, 1).Values);
    }
}
