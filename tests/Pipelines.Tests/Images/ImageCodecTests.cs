using System.Buffers.Binary;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Metadata;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Files of all formats and modes, and what they say about an image.</summary>
public sealed class ImageCodecTests : IDisposable
{
    private const string Letters = "a ß, Ü and 日本 🚀\nNegative prompt: Ø\nSteps: 3";
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Decode_FilesOfAllModes_GivesTheReferencesPixels()
    {
        foreach (var recorded in ReferenceImages.Cases("file"))
            ReferenceImages.AssertSame(recorded, ReferenceImages.Load(recorded.Text("file")), recorded.Number("tolerance"));
    }

    [Fact]
    public void Decode_SixteenBits_TakesTheUpperByte()
    {
        // Rounding would give 0x13, 0xFF and 0x80.
        byte[] png = HostileImageTests.Png(1, 1, [0, 0x12, 0xFF, 0xFE, 0xFF, 0x7F, 0xFF], depth: 16);
        Assert.Equal([0x12, 0xFE, 0x7F], Image.Decode(png, "deep").Pixels);
    }

    [Theory, InlineData("jpg"), InlineData("jpeg"), InlineData("webp"), InlineData("WEBP")]
    public void Save_OtherFormats_KeepThePictureAndItsTexts(string extension)
    {
        byte[] pixels = [.. Enumerable.Range(0, 40 * 24).SelectMany(i => (byte[])[(byte)(i % 40 * 5), (byte)(i / 40 * 9), 90])];
        var image = new Image(40, 24, pixels) { Parameters = Letters, RequestJson = "{\"a\":\"ß日\"}" };
        string path = Path.Combine(folder.Path, $"image.{extension}");
        image.Save(path);
        var loaded = Image.Load(path);
        Assert.Equal((40, 24), (loaded.Width, loaded.Height));
        Assert.InRange(image.Pixels.Zip(loaded.Pixels, (a, b) => Math.Abs(a - b)).Average(), 0, 2);
        Assert.Equal(Letters, loaded.Parameters);
        Assert.Equal(image.RequestJson, loaded.RequestJson);
        byte[] first = File.ReadAllBytes(path);
        Assert.Equal(extension.StartsWith('j') ? [0xFF, 0xD8, 0xFF] : "RIF"u8, first.AsSpan(0, 3));
        image.Save(path);
        Assert.Equal(first, File.ReadAllBytes(path));
        new Image(40, 24, image.Pixels).Save(path);
        Assert.Null(Image.Load(path).Parameters);
        Assert.Null(Image.Load(path).RequestJson);
    }

    [Theory, InlineData("jpg"), InlineData("webp")]
    public void Save_Parameters_AreACommentAsAutomatic1111WritesIt(string extension)
    {
        string path = Path.Combine(folder.Path, $"image.{extension}");
        new Image(8, 8, new byte[192]) { Parameters = "Aß" }.Save(path);
        Assert.True(File.ReadAllBytes(path).AsSpan().IndexOf((byte[])[.. "UNICODE\0"u8, 0, (byte)'A', 0, 0xDF]) > 0);
    }

    [Fact]
    public void Load_CommentsOfOtherPrograms_AreRead()
    {
        foreach (var recorded in ReferenceImages.Cases("text"))
        {
            Assert.Equal(recorded.Text("text"), ReferenceImages.Load(recorded.Text("file")).Parameters);
            var metadata = GenerationMetadata.Read(ReferenceImages.PathOf(recorded.Text("file")));
            Assert.Equal((20, 24, 17), (metadata.Request.Steps, metadata.Request.Width, metadata.Request.Height));
        }
    }

    [Fact]
    public void Save_WhatAFormatCannotHold_SaysSo()
    {
        var wide = new Image(16384, 1, new byte[16384 * 3]);
        Assert.Contains("at most 16383", Fails(wide, "a.webp"), StringComparison.Ordinal);
        Assert.Contains("at most 65535", Fails(new Image(65536, 1, new byte[65536 * 3]), "a.jpg"), StringComparison.Ordinal);
        var wordy = new Image(1, 1, new byte[3]) { Parameters = new string('x', 40_000) };
        Assert.Contains("80000 bytes", Fails(wordy, "a.jpg"), StringComparison.Ordinal);
        wordy.Save(Path.Combine(folder.Path, "a.webp"));
        Assert.Equal(wordy.Parameters, Image.Load(Path.Combine(folder.Path, "a.webp")).Parameters);
        Assert.Equal(["a.webp"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Decode_AnimatedWebp_IsRefused() =>
        Assert.Contains("it is animated", Assert.Throws<ImageFileException>(() => ReferenceImages.Load("animated.webp")).Message,
            StringComparison.Ordinal);

    [Theory, InlineData("plain.jpg"), InlineData("progressive.jpg"), InlineData("lossless.webp"), InlineData("lossy-alpha.webp")]
    public void Decode_TruncatedFile_SaysSo(string name)
    {
        byte[] whole = File.ReadAllBytes(ReferenceImages.PathOf(name));
        foreach (int length in (int[])[whole.Length / 2, whole.Length * 9 / 10, whole.Length - 2])
            Assert.Throws<ImageFileException>(() => Image.Decode(whole[..length], name));
    }

    [Theory, InlineData(0xFFFFFFF8u), InlineData(200u)]
    public void Decode_WebpChunkLongerThanTheFile_IsRefused(uint size)
    {
        byte[] file = [.. File.ReadAllBytes(ReferenceImages.PathOf("turned.webp")), .. "junk\0\0\0\0"u8];
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length - 8);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(file.Length - 4), size);
        Assert.Contains("chunk 'junk'", Assert.Throws<ImageFileException>(() => Image.Decode(file, "bomb")).Message,
            StringComparison.Ordinal);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(file.Length - 4), 0);
        Assert.Equal(24, Image.Decode(file, "whole").Height);
    }

    [Fact]
    public void Decode_WebpWithTheHeaderOfJpegsExif_StandsUpright()
    {
        byte[] file = File.ReadAllBytes(ReferenceImages.PathOf("turned.webp"));
        int exif = file.AsSpan().IndexOf("EXIF"u8), length = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(exif + 4));
        byte[] block = [.. "Exif\0\0"u8, .. file.AsSpan(exif + 8, length)];
        byte[] changed = [.. file[..exif], .. "EXIF"u8, (byte)block.Length, 0, 0, 0, .. block];
        BinaryPrimitives.WriteInt32LittleEndian(changed.AsSpan(4), changed.Length - 8);
        Assert.Equal(Image.Decode(file, "turned").Pixels, Image.Decode(changed, "prefixed").Pixels);
    }

    [Fact]
    public void Decode_JpegThatPromisesPixelsWithoutData_IsRefusedBeforeTheyAreAllocated()
    {
        byte[] file = File.ReadAllBytes(ReferenceImages.PathOf("progressive.jpg"));
        int frame = file.AsSpan().IndexOf((byte[])[0xFF, 0xC2]);
        BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(frame + 5), 8000);
        BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(frame + 7), 8000);
        Assert.Contains("too short to hold 8000×8000", Assert.Throws<ImageFileException>(() => Image.Decode(file, "bomb")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_JpegWithScansWithoutEnd_IsRefused()
    {
        byte[] file = File.ReadAllBytes(ReferenceImages.PathOf("progressive.jpg"));
        int scan = file.AsSpan().LastIndexOf((byte[])[0xFF, 0xDA]);
        byte[] bomb = [.. file[..scan], .. Enumerable.Repeat(file[scan..^2], 1000).SelectMany(s => s), 0xFF, 0xD9];
        Assert.Contains("scans", Assert.Throws<ImageFileException>(() => Image.Decode(bomb, "bomb")).Message, StringComparison.Ordinal);
    }

    private string Fails(Image image, string name) =>
        Assert.Throws<ImageFileException>(() => image.Save(Path.Combine(folder.Path, name))).Message;
}
