using System.IO.Compression;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

public sealed class ImageTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    [InlineData(64, 48)]
    [InlineData(1, 300)]
    public void Load_SavedImage_HasTheSamePixels(int width, int height)
    {
        string path = Path.Combine(folder.Path, "image.png");
        var image = TestImages.Gradient(width, height);
        image.Save(path);
        var loaded = Image.Load(path);
        Assert.Equal((width, height), (loaded.Width, loaded.Height));
        Assert.Equal(image.Pixels, loaded.Pixels);
        Assert.Null(loaded.Parameters);
        Assert.Equal(["image.png"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void EncodePng_SameImage_GivesTheSameBytesSmallerThanUnfiltered()
    {
        byte[] png = TestImages.Gradient(64, 64).EncodePng();
        Assert.Equal(png, TestImages.Gradient(64, 64).EncodePng());
        using var plain = new MemoryStream();
        using (var zlib = new ZLibStream(plain, CompressionLevel.Optimal, leaveOpen: true)) zlib.Write(TestImages.Gradient(64, 64).Pixels);
        Assert.True(png.Length < plain.Length, $"{png.Length} bytes against {plain.Length} without filters");
    }

    [Fact]
    public void Save_ExistingFile_IsReplaced()
    {
        string path = Path.Combine(folder.Path, "image.png");
        TestImages.Gradient(9, 9, seed: 1).Save(path);
        TestImages.Gradient(5, 5, seed: 2).Save(path);
        Assert.Equal(5, Image.Load(path).Width);
    }

    [Fact]
    public void Save_Link_WritesWhereItPoints()
    {
        string target = Path.Combine(folder.Path, "target.png"), link = Path.Combine(folder.Path, "link.png");
        TestImages.Gradient(9, 9).Save(target);
        File.CreateSymbolicLink(link, target);
        TestImages.Gradient(5, 5).Save(link);
        Assert.Equal(5, Image.Load(target).Width);
        Assert.NotNull(new FileInfo(link).LinkTarget);
    }

    [Fact]
    public void Save_WrongNameOrPlace_SaysWhyAndLeavesNothing()
    {
        var image = TestImages.Gradient(4, 4);
        Assert.Contains("must end in .png, .jpg, .jpeg or .webp",
            Assert.Throws<ImageFileException>(() => image.Save(Path.Combine(folder.Path, "a.bmp"))).Message, StringComparison.Ordinal);
        string nowhere = Path.Combine(folder.Path, "no", "a.png");
        Assert.Contains(nowhere, Assert.Throws<ImageFileException>(() => image.Save(nowhere)).Message, StringComparison.Ordinal);
        string occupied = Path.Combine(folder.Path, "folder.png");
        Directory.CreateDirectory(occupied);
        Assert.Contains("cannot be written", Assert.Throws<ImageFileException>(() => image.Save(occupied)).Message,
            StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Constructor_SizesThatDoNotFit_Throws()
    {
        Assert.Throws<ArgumentException>(() => new Image(2, 2, new byte[11]));
        Assert.Throws<ArgumentException>(() => new Image(0, 2, []));
        Assert.Throws<ArgumentException>(() => new Image(1 << 20, 1 << 20, []));
    }

    [Fact]
    public void Decode_Jpeg_GivesItsColours()
    {
        var image = Image.Decode(TestImages.Jpeg, "test");
        Assert.Equal((16, 8), (image.Width, image.Height));
        AssertNear((250, 0, 0), image, 2, 1);
        AssertNear((0, 0, 120), image, 13, 6);
    }

    // The position of the stored top left pixel (bright red) in the upright image, from the Exif standard's table.
    [Theory]
    [InlineData(1, 0, 0), InlineData(2, 1, 0), InlineData(3, 1, 1), InlineData(4, 0, 1)]
    [InlineData(5, 0, 0), InlineData(6, 1, 0), InlineData(7, 1, 1), InlineData(8, 0, 1)]
    public void Decode_JpegWithOrientation_StandsUpright(byte orientation, int right, int bottom)
    {
        foreach (bool little in (bool[])[true, false])
        {
            var image = Image.Decode(TestImages.Oriented(orientation, little), "test");
            Assert.Equal(orientation < 5 ? (16, 8) : (8, 16), (image.Width, image.Height));
            AssertNear((250, 0, 0), image, right * (image.Width - 1), bottom * (image.Height - 1));
            AssertNear((0, 0, 120), image, (1 - right) * (image.Width - 1), (1 - bottom) * (image.Height - 1));
        }
    }

    private static void AssertNear((int R, int G, int B) expected, Image image, int x, int y)
    {
        var pixel = image.Pixels.AsSpan((y * image.Width + x) * 3, 3);
        Assert.True(Math.Abs(pixel[0] - expected.R) < 30 && Math.Abs(pixel[1] - expected.G) < 30 && Math.Abs(pixel[2] - expected.B) < 30,
            $"({x}, {y}) is ({pixel[0]}, {pixel[1]}, {pixel[2]}); expected about {expected}");
    }
}
