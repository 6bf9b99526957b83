using System.Text;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Default file names of images.</summary>
public sealed class ImageNamesTests
{
    [Theory]
    [InlineData("A red fox, 4k!", "a-red-fox-4k-7.png"), InlineData("Füchse im Schnee", "füchse-im-schnee-7.png")]
    [InlineData("赤い狐", "赤い狐-7.png"), InlineData("लोमड़ी", "लोमड़ी-7.png")]
    [InlineData("", "image-7.png"), InlineData("../../etc/passwd", "etc-passwd-7.png")]
    [InlineData("a\u202e\u0000\nb\\c:d", "a-b-c-d-7.png"), InlineData("🦊 fox", "fox-7.png"), InlineData("\ud800x", "x-7.png")]
    public void Of_AnyPrompt_KeepsLettersAndNothingElse(string prompt, string expected) => Assert.Equal(expected, ImageNames.Of(prompt, 7));

    [Fact]
    public void Of_LongPrompt_IsBoundedInBytes()
    {
        foreach (string letter in (string[])["a", "ü", "狐", "𐐷"])
        {
            string name = ImageNames.Of(string.Concat(Enumerable.Repeat(letter, 500)), ulong.MaxValue);
            Assert.InRange(Encoding.UTF8.GetByteCount(name), 80, 80 + 25);
            Assert.DoesNotContain('\ufffd', name);
        }
    }

    [Fact]
    public void Save_TakenName_TakesTheNextFreeOne()
    {
        using var folder = new TemporaryFolder();
        string name = Path.Combine(folder.Path, "fox-7.png");
        string[] taken = [.. Enumerable.Range(1, 3).Select(level => ImageNames.Save(new Image(1, 1, [(byte)level, 0, 0]), name))];
        Assert.Equal(["fox-7.png", "fox-7-2.png", "fox-7-3.png"], taken.Select(Path.GetFileName));
        Assert.Equal([1, 2, 3], taken.Select(path => (int)Image.Load(path).Pixels[0]));
        Assert.Equal(3, Directory.GetFileSystemEntries(folder.Path).Length);
    }

    [Fact]
    public async Task Save_AtTheSameTime_LosesNothing()
    {
        for (int round = 0; round < 20; round++)
        {
            using var folder = new TemporaryFolder();
            string name = Path.Combine(folder.Path, "fox-7.png");
            string[] taken = await Task.WhenAll(Enumerable.Range(0, 16)
                .Select(level => Task.Run(() => ImageNames.Save(new Image(1, 1, [(byte)level, 0, 0]), name))));
            Assert.Equal(16, taken.Distinct().Count());
            Assert.Equal(Enumerable.Range(0, 16), taken.Select(path => (int)Image.Load(path).Pixels[0]));
        }
    }
}
