using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Public.Tests;

/// <summary>Images as streams, bytes, RGBA and HTML, for servers, bitmaps and notebooks.</summary>
public sealed class ImageTests
{
    private static readonly Image Image = new(2, 3,
        [.. Enumerable.Range(0, 18).Select(i => (byte)(i * 14))])
    { Parameters = "a red heart\nSteps: 3" };

    [Fact]
    public void Load_FromAStream_GivesTheImageBackAndLeavesItOpen()
    {
        using var stream = new MemoryStream();
        stream.Write([1, 2, 3]); // an image may start inside a stream
        Image.Save(stream);
        Assert.Equal(Image.EncodePng(), stream.ToArray()[3..]);
        stream.Position = 3;
        Same(Image.Load(stream));
        Assert.True(stream.CanRead);
    }

    [Fact]
    public async Task SaveAsync_ToAStream_WritesTheBytesOfEncodePng()
    {
        using var stream = new MemoryStream();
        await Image.SaveAsync(stream, TestContext.Current.CancellationToken);
        Assert.Equal(Image.EncodePng(), stream.ToArray());
        await Assert.ThrowsAsync<TaskCanceledException>(async () => await Image.SaveAsync(stream, new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Load_EncodedPng_GivesTheImageBack() => Same(Image.Load(Image.EncodePng().AsSpan()));

    [Fact]
    public void Load_EndlessStream_IsRefusedAndNamed()
    {
        var e = Assert.Throws<ImageFileException>(() => Image.Load(new Endless(), "upload 7"));
        Assert.Equal("upload 7", e.File);
        Assert.Contains("the limit for images", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TruncatedBytes_AreRefused()
    {
        byte[] cut = Image.EncodePng()[..40];
        Assert.Equal("image", Assert.Throws<ImageFileException>(() => Image.Load(cut.AsSpan())).File);
    }

    [Fact]
    public void FromRgba_AfterCopyRgba_GivesTheImageBack()
    {
        byte[] rgba = new byte[2 * 3 * 4];
        Image.CopyRgba(rgba);
        Assert.Equal([.. Image.Pixels[..3], 255, .. Image.Pixels[3..6], 255], rgba[..8]);
        for (int i = 3; i < rgba.Length; i += 4) rgba[i] = 7; // alpha does not matter
        Assert.Equal(Image.Pixels, Image.FromRgba(rgba, 2, 3).Pixels);
        Assert.Throws<ArgumentException>(() => Image.CopyRgba(new byte[23]));
        Assert.Throws<ArgumentException>(() => Image.FromRgba(rgba, 3, 3));
        Assert.Throws<ArgumentException>(() => Image.FromRgba(rgba, 0, 3));
    }

    [Fact]
    public void TypeFormatterSource_ByReflection_FormatsAnImageAsHtml()
    {
        // By name, through reflection, as in .NET Interactive.
        object attribute = Assert.Single(typeof(Image).GetCustomAttributes(inherit: true),
            a => a.GetType().Name == "TypeFormatterSourceAttribute");
        var source = Assert.IsAssignableFrom<Type>(attribute.GetType().GetProperty("FormatterSourceType")!.GetValue(attribute));
        var formatters = Assert.IsAssignableFrom<IEnumerable<object>>(
            source.GetMethod("CreateTypeFormatters")!.Invoke(Activator.CreateInstance(source), []));
        object formatter = Assert.Single(formatters);
        Assert.Equal("text/html", formatter.GetType().GetProperty("MimeType")!.GetValue(formatter));
        var format = formatter.GetType().GetMethod("Format", [typeof(object), typeof(TextWriter)])!;

        using var text = new StringWriter();
        Assert.Equal(true, format.Invoke(formatter, [Image, text]));
        string html = text.ToString(), start = "<img src=\"data:image/png;base64,";
        Assert.StartsWith(start, html, StringComparison.Ordinal);
        Same(Image.Load(Convert.FromBase64String(html[start.Length..html.IndexOf('"', start.Length)])));
        Assert.Equal(false, format.Invoke(formatter, ["no image", text]));
    }

    private static void Same(Image image)
    {
        Assert.Equal((Image.Width, Image.Height), (image.Width, image.Height));
        Assert.Equal(Image.Pixels, image.Pixels);
        Assert.Equal(Image.Parameters, image.Parameters);
    }

    private sealed class Endless : MemoryStream
    {
        public override int Read(Span<byte> buffer)
        {
            buffer.Clear();
            return buffer.Length;
        }
    }
}
