using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

public class ImageProcessorTests
{
    [Fact]
    public void Resize_ReferencePicture_GivesItsBits()
    {
        var source = ReferenceImages.Load("source.png");
        foreach (var recorded in ReferenceImages.Cases("resize"))
            ReferenceImages.AssertSame(recorded, ImageProcessor.Resize(source, recorded.Number("width"), recorded.Number("height"),
                Enum.Parse<ResizeMode>(recorded.Text("mode"))));
    }

    [Fact]
    public void Blur_ReferenceMask_GivesItsBits()
    {
        var mask = ReferenceImages.Load("mask.png");
        foreach (var recorded in ReferenceImages.Cases("blur"))
            ReferenceImages.AssertSame(recorded, ImageProcessor.Blur(mask, recorded.GetProperty("radius").GetSingle()));
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageProcessor.Blur(mask, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageProcessor.Blur(mask, float.NaN));
    }

    [Fact]
    public void Resize_ItsOwnSizeOrOneColour_KeepsTheLevels()
    {
        var image = TestImages.Gradient(9, 7);
        Assert.Equal(image.Pixels, ImageProcessor.Resize(image, 9, 7).Pixels);
        var grey = new Image(5, 3, [.. Enumerable.Repeat((byte)200, 45)]);
        foreach (var mode in Enum.GetValues<ResizeMode>())
        {
            var resized = ImageProcessor.Resize(grey, 16, 8, mode);
            Assert.Equal(16 * 8 * 3, resized.Pixels.Length);
            Assert.All(resized.Pixels, level => Assert.Equal(200, level));
        }
    }

    [Fact]
    public void Resize_ProportionsThatLeaveNothing_SaysSo()
    {
        var line = new Image(300, 1, new byte[900]);
        Assert.Contains("300×1", Assert.Throws<ArgumentException>(() => ImageProcessor.Resize(line, 8, 8, ResizeMode.Fill)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageProcessor.Resize(line, 0, 8));
        Assert.Contains("at most 65535", Assert.Throws<ArgumentException>(
            () => ImageProcessor.Resize(new Image(70000, 1, new byte[210000]), 8, 8)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_SeveralPictures_AreTheAutoencodersInput()
    {
        Image first = new(2, 1, [0, 255, 51, 102, 128, 204]), second = new(2, 1, new byte[6]);
        float[] values = ImageProcessor.Values([first, second]);
        Assert.Equal(12, values.Length);
        float[] expected = [-1f, 1f, 2f * (51f / 255f) - 1f, 2f * (102f / 255f) - 1f, 2f * (128f / 255f) - 1f, 2f * (204f / 255f) - 1f];
        Assert.Equal([.. expected, .. Enumerable.Repeat(-1f, 6)], values);
        Assert.Contains("Image 1 has 1×1", Assert.Throws<ArgumentException>(
            () => ImageProcessor.Values([first, new Image(1, 1, new byte[3])])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DefaultSize_AnyPicture_IsAMultipleOfTheFactor()
    {
        Assert.Equal((56, 40), ImageProcessor.DefaultSize(new Image(61, 43, new byte[61 * 43 * 3]), 8));
        Assert.Equal((64, 8), ImageProcessor.DefaultSize(new Image(64, 8, new byte[64 * 8 * 3]), 8));
        Assert.Contains("at least 8×8", Assert.Throws<ArgumentException>(
            () => ImageProcessor.DefaultSize(new Image(64, 7, new byte[64 * 7 * 3]), 8)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Crop_TakesThePart_AndIsBlackOutside()
    {
        var image = new Image(2, 2, [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
        Assert.Equal([4, 4, 4], ImageProcessor.Crop(image, new PixelBox(1, 1, 2, 2)).Pixels);
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1], ImageProcessor.Crop(image, new PixelBox(-1, -1, 1, 1)).Pixels);
    }
}
