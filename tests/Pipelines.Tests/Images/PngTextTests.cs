using System.IO.Compression;
using System.Text;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Metadata;

namespace ILGpuDiffusion.Pipelines.Tests;

public class PngTextTests
{
    [Theory]
    [InlineData("a cat\nNegative prompt: dog\nSteps: 20", "tEXt")]
    [InlineData("café ÿ", "tEXt")]
    [InlineData("日本 🚀 — quotes", "iTXt")]
    [InlineData("", "tEXt")]
    public void Decode_EncodedParameters_AreUnchanged(string text, string type)
    {
        byte[] png = new Image(2, 1, new byte[6]) { Parameters = text }.EncodePng();
        var chunks = PngChunk.ReadAll(png);
        Assert.Equal(["IHDR", type, "IDAT", "IEND"], chunks.Select(c => c.Type));
        Assert.StartsWith("parameters\0", Encoding.Latin1.GetString(chunks[1].Data.Span), StringComparison.Ordinal);
        Assert.Equal(text, Image.Decode(png, "test").Parameters);
    }

    [Fact]
    public void Find_CompressedText_IsInflatedUpToALimit()
    {
        Assert.Equal("hello Ω", PngText.Find([Compressed("hello Ω"u8.ToArray())], PngText.Parameters));
        Assert.Equal(1 << 20, PngText.Find([Compressed(new byte[50_000_000])], PngText.Parameters)!.Length);
    }

    [Fact]
    public void Find_BrokenOrForeignText_IsPassedOver()
    {
        PngChunk good = new("tEXt", "parameters\0yes"u8.ToArray());
        foreach (byte[] data in (byte[][])[[], "parameters"u8.ToArray(), "parameters\0"u8.ToArray(), "parameters\0\0"u8.ToArray(),
            "parameters\0\0\0no"u8.ToArray(), "parameters\0\u0001\0\0\0xyz"u8.ToArray(), "Title\0\0\0\0\0no"u8.ToArray()])
            Assert.Equal("yes", PngText.Find([new("iTXt", data), good], PngText.Parameters));
        Assert.Null(PngText.Find([new("tEXt", "Comment\0no"u8.ToArray())], PngText.Parameters));
    }

    [Fact]
    public void Format_AllFields_WritesTheThreeParts()
    {
        var parameters = new A1111Parameters("a cat, <lora:x:1>")
        {
            NegativePrompt = "dog",
            Steps = 20,
            Sampler = "Euler",
            CfgScale = 5,
            Seed = 42,
            Width = 512,
            Height = 768,
            Model = "sdxl",
            Extra = [new("Denoising strength", "0.75"), new("Note", "a, \"b\": é")],
        };
        Assert.Equal(
            "a cat, <lora:x:1>\nNegative prompt: dog\nSteps: 20, Sampler: Euler, CFG scale: 5, Seed: 42, Size: 512x768, Model: sdxl, "
                + "Denoising strength: 0.75, Note: \"a, \\\"b\\\": é\"",
            parameters.Format());
        Assert.Equal("p\nSteps: 0, Sampler: , CFG scale: 7.5, Seed: 0, Size: 0x0", new A1111Parameters("p") { CfgScale = 7.5 }.Format());
    }

    private static PngChunk Compressed(byte[] text)
    {
        using var stream = new MemoryStream();
        stream.Write("parameters\0\u0001\0en\0\0"u8);
        using (var zlib = new ZLibStream(stream, CompressionLevel.Optimal, leaveOpen: true)) zlib.Write(text);
        return new PngChunk("iTXt", stream.ToArray());
    }
}
