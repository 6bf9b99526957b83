using System.Buffers.Binary;
using System.IO.Compression;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Files that are no images, damaged or malicious give one clear error: no crash, no endless loop, no excessive memory.
/// </summary>
public class HostileImageTests
{
    public static TheoryData<string, string> Files => new()
    {
        { "", "those of none" },
        { "GIF89a", "those of none" },
        { "\u0089PNG\r\n\u001A\n", "ends before its last chunk" },
        { "\u00FF\u00D8\u00FF", "JPEG" },
    };

    [Theory, MemberData(nameof(Files))]
    public void Decode_NoImage_SaysSo(string content, string reason)
    {
        var error = Assert.Throws<ImageFileException>(() => Image.Decode([.. content.Select(c => (byte)c)], "input.png"));
        Assert.StartsWith("input.png: is not a whole PNG, JPEG or WebP image", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FileMissing_SaysSo() =>
        Assert.Contains("does not exist", Assert.Throws<ImageFileException>(() => Image.Load("/nowhere/at/all.png")).Message,
            StringComparison.Ordinal);

    public static TheoryData<string> NotRegularKinds => [.. NotRegular.Kinds];

    [Theory, MemberData(nameof(NotRegularKinds))]
    public void Load_NotARegularFile_IsRefusedAtOnce(string kind)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "input.png");
        NotRegular.Make(kind, path);
        Assert.Equal(path, NotRegular.Throws<ImageFileException>(() => Image.Load(path)).File);
    }

    [Theory]
    [InlineData(100_000, 100_000, 1, "100000×100000")]
    [InlineData(0, 4, 1, "0×4")]
    [InlineData(4, 4, 0, "inflates to 0 bytes; the header asks for 52")]
    [InlineData(4, 4, 51, "inflates to 51 bytes; the header asks for 52")]
    [InlineData(4, 4, 100_000_000, "far more bytes; the header asks for 52")]
    public void Decode_PngThatPromisesOtherData_SaysSo(int width, int height, int inflated, string reason)
    {
        var error = Assert.Throws<ImageFileException>(() => Image.Decode(Png(width, height, inflated), "bomb.png"));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8, 0, 1, 79)] // Adam7 passes of 1×1, 1×1, 2×1, 2×2, 4×2, 4×4 and 8×4 pixels
    [InlineData(1, 0, 0, 16)]
    [InlineData(16, 6, 0, 8 * 65)]
    public void Decode_OtherPngLayouts_AreRead(byte depth, byte colourType, byte interlacing, int inflated)
    {
        var image = Image.Decode(Png(8, 8, inflated, depth, colourType, interlacing), "layout");
        Assert.Equal(new byte[8 * 8 * 3], image.Pixels);
        Assert.Throws<ImageFileException>(() => Image.Decode(Png(8, 8, inflated - 1, depth, colourType, interlacing), "layout"));
    }

    [Fact]
    public void Decode_PngWithDamagedByte_NamesTheChunk()
    {
        byte[] png = TestImages.Gradient(8, 8).EncodePng();
        png[60] ^= 1;
        Assert.Contains("chunk 'IDAT' at byte 33 is damaged", Assert.Throws<ImageFileException>(() => Image.Decode(png, "x")).Message,
            StringComparison.Ordinal);
    }

    [Theory, InlineData(0), InlineData(1)]
    public void Decode_PaletteShorterThanItsIndices_IsBlackBeyond(byte interlacing)
    {
        byte[] rows = interlacing == 0 ? [0, 0, 1, 200, 255, 1] : [0, 0, 0, 1, 0, 200, 0, 255, 1]; // passes 1, 2, 4 and 6 of one row
        PngChunk palette = new("PLTE", new byte[] { 9, 8, 7 });
        var image = Image.Decode(Png(5, 1, rows, colourType: 3, interlacing: interlacing, before: palette), "palette");
        Assert.Equal([9, 8, 7], image.Pixels[..3]);
        Assert.All(image.Pixels[3..], level => Assert.Equal(0, level));
    }

    [Theory, InlineData(1, 8), InlineData(4, 4)]
    public void Decode_NarrowInterlacedPng_IsRefused(int width, int height)
    {
        // The library would misplace its rows, or wait for more of them without end.
        var error = Assert.Throws<ImageFileException>(() => Image.Decode(Png(width, height, 1000, interlacing: 1), "narrow"));
        Assert.Contains("interlaced", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_ChunksThatSayNothingOfPixels_AreNotGivenToTheDecoder()
    {
        // A compressed text that inflates to 100 MB, an empty pixel chunk, a second header, and texts that are malformed.
        using var text = new MemoryStream();
        text.Write("Comment\0\0"u8);
        using (var zlib = new ZLibStream(text, CompressionLevel.Optimal, leaveOpen: true)) zlib.Write(new byte[100_000_000]);
        byte[] png = Png(1, 1, [0, 5, 6, 7], before:
            [new("zTXt", text.ToArray()), new("iCCP", text.ToArray()), new("IDAT", default), new("iTXt", "x"u8.ToArray()),
                new("IHDR", new byte[] { 0, 0, 255, 255, 0, 0, 255, 255, 8, 2, 0, 0, 0 }), new("CgBI", default)]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal([5, 6, 7], Image.Decode(png, "chunks").Pixels);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000_000);
    }

    [Theory]
    [InlineData("jpeg", 3000)]
    [InlineData("png", 1500)]
    [InlineData("png with correct check sums", 1500)]
    [InlineData("lossless.webp", 1500)]
    [InlineData("lossy-alpha.webp", 1500)]
    [InlineData("progressive.jpg", 1500)]
    [InlineData("parameters.jpg", 1500)]
    public void Decode_MutatedFile_DecodesOrSaysWhatIsWrong(string kind, int rounds)
    {
        byte[] good = kind == "jpeg" ? TestImages.Oriented(6, littleEndian: true)
            : kind.Contains('.') ? File.ReadAllBytes(ReferenceImages.PathOf(kind))
            : (TestImages.Gradient(24, 16) is var i ? new Image(24, 16, i.Pixels) { Parameters = "a cat" } : i).EncodePng();
        int refused = 0;
        for (int seed = 0; seed < rounds; seed++)
        {
            byte[] file = Mutate(good, new Random(seed));
            if (kind.EndsWith("sums", StringComparison.Ordinal)) file = WithCheckSums(file);
            try
            {
                Assert.InRange(Image.Decode(file, "fuzz").Width, 1, Image.MaxPixels);
            }
            catch (ImageFileException)
            {
                refused++;
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"{kind}, seed {seed}: {e}");
            }
        }

        Assert.True(refused > rounds / 10, $"only {refused} refused");
    }

    private static byte[] Mutate(byte[] good, Random random)
    {
        var bytes = good.ToList();
        for (int edits = random.Next(1, 5); edits > 0; edits--)
        {
            int at = random.Next(random.Next(2) == 0 ? Math.Min(64, bytes.Count) : bytes.Count);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes[at] = 255; break;
                default: bytes.RemoveRange(at, Math.Min(random.Next(30), bytes.Count - at - 1)); break;
            }
        }

        return [.. bytes];
    }

    // The data after the signature, split into chunks by their lengths, each with a corrected checksum.
    private static byte[] WithCheckSums(byte[] file)
    {
        using var stream = new MemoryStream();
        stream.Write(PngChunk.Signature);
        for (int at = 8; at + 12 <= file.Length;)
        {
            int length = Math.Clamp(BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at)), 0, file.Length - at - 12);
            new PngChunk(System.Text.Encoding.Latin1.GetString(file, at + 4, 4), file.AsMemory(at + 8, length)).Write(stream);
            at += length + 12;
        }

        return stream.ToArray();
    }

    private static byte[] Png(int width, int height, int inflated, byte depth = 8, byte colourType = 2, byte interlacing = 0) =>
        Png(width, height, new byte[inflated], depth, colourType, interlacing);

    /// <summary>A PNG file with a header and the rows as given, each behind its filter's number.</summary>
    internal static byte[] Png(int width, int height, byte[] rows, byte depth = 8, byte colourType = 2, byte interlacing = 0,
        params PngChunk[] before)
    {
        byte[] header = [0, 0, 0, 0, 0, 0, 0, 0, depth, colourType, 0, 0, interlacing];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Fastest, leaveOpen: true)) zlib.Write(rows);
        using var file = new MemoryStream();
        file.Write(PngChunk.Signature);
        new PngChunk("IHDR", header).Write(file);
        foreach (var chunk in before) chunk.Write(file);
        new PngChunk("IDAT", data.ToArray()).Write(file);
        new PngChunk("IEND", default).Write(file);
        return file.ToArray();
    }
}
