using System.Runtime.InteropServices;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;
using LibraryImage = SixLabors.ImageSharp.Image;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// Reads and writes files with ImageSharp. It knows three formats here, in a configuration of its own with bounded memory, and gets files
/// that <see cref="CheckedFile"/> has checked.
/// </summary>
internal sealed class ImageCodec : IImageCodec
{
    private const int MostMegabytes = 512; // of one buffer: 64 Mi pixels take 192 in RGB, 256 in WebP's, 384 in 16-bit RGB
    private const int PoolMegabytes = 64;
    private const int Quality = 95;
    private const int MostJpegSide = 65535, MostWebpSide = 16383;
    private const int MostJpegTexts = 65000; // bytes: an EXIF block is one segment, whose length has 16 bits

    private static readonly Configuration Formats = new(new PngConfigurationModule(), new JpegConfigurationModule(),
        new WebpConfigurationModule())
    {
        MemoryAllocator = MemoryAllocator.Create(
            new MemoryAllocatorOptions { AllocationLimitMegabytes = MostMegabytes, MaximumPoolSizeMegabytes = PoolMegabytes }),
    };

    // Level and filter by measurement: perf/results/2026-11-30-png.md.
    private static readonly PngEncoder Png = new()
    {
        CompressionLevel = PngCompressionLevel.Level1,
        FilterMethod = PngFilterMethod.Adaptive,
        ColorType = PngColorType.Rgb,
        BitDepth = PngBitDepth.Bit8,
        ChunkFilter = PngChunkFilter.ExcludePhysicalChunk,
        TextCompressionThreshold = int.MaxValue, // not every reader inflates texts
    };

    private static readonly JpegEncoder Jpeg = new() { Quality = Quality, ColorType = JpegColorType.YCbCrRatio444 };

    private static readonly WebpEncoder Webp = new() { Quality = Quality, FileFormat = WebpFileFormatType.Lossy };

    public Image Decode(byte[] file, string name)
    {
        try
        {
            var source = CheckedFile.Of(file);
            using var stream = new MemoryStream(source.Bytes, writable: false);
            var info = LibraryImage.Identify(Formats, stream) ?? throw new InvalidDataException("its header is damaged");
            CheckSize(info, source.MostPixels);
            bool deep = info.Metadata.GetPngMetadata().BitDepth == PngBitDepth.Bit16;
            var (width, height, pixels) = deep ? Deep(source.Bytes) : Plain(source.Bytes);
            return new Image(width, height, pixels) { Parameters = source.Parameters, RequestJson = source.Request };
        }
        catch (Exception e) when (e is not OutOfMemoryException) // what the library throws at damaged input is of many types
        {
            // Others are faults of the library, such as a null reference, whose messages say nothing of the file.
            string reason = e is InvalidDataException or ImageFormatException or NotSupportedException or InvalidMemoryOperationException
                ? e.Message.TrimEnd('.') : "its data is damaged";
            throw new ImageFileException(name, $"is not a whole PNG, JPEG or WebP image ({reason}).", e);
        }
    }

    public byte[] Encode(Image image, ImageFormat format)
    {
        if (format != ImageFormat.Png) CheckFits(image, format);
        using var raster = LibraryImage.WrapMemory<Rgb24>(Formats, image.Pixels.AsMemory(), image.Width, image.Height);
        if (format == ImageFormat.Png) AddTexts(raster.Metadata.GetPngMetadata().TextData, image);
        else raster.Metadata.ExifProfile = ExifTexts.Profile(image);
        using var stream = new MemoryStream();
        raster.Save(stream, format switch { ImageFormat.Png => (IImageEncoder)Png, ImageFormat.Jpeg => Jpeg, _ => Webp });
        byte[] file = stream.ToArray();
        if (format != ImageFormat.Png && image.Parameters is { } text) ExifTexts.Fill(file, text);
        return file;
    }

    private static (int Width, int Height, byte[] Pixels) Plain(byte[] file)
    {
        using var raster = LibraryImage.Load<Rgb24>(Formats, file);
        raster.Mutate(p => p.AutoOrient());
        byte[] pixels = new byte[raster.Width * raster.Height * 3];
        raster.CopyPixelDataTo(pixels);
        return (raster.Width, raster.Height, pixels);
    }

    // The upper byte of 16 bits, as Pillow takes it; the library would round.
    private static (int Width, int Height, byte[] Pixels) Deep(byte[] file)
    {
        using var raster = LibraryImage.Load<Rgb48>(Formats, file);
        raster.Mutate(p => p.AutoOrient());
        byte[] pixels = new byte[raster.Width * raster.Height * 3];
        raster.ProcessPixelRows(rows =>
        {
            for (int y = 0, at = 0; y < rows.Height; y++)
                foreach (ushort level in MemoryMarshal.Cast<Rgb48, ushort>(rows.GetRowSpan(y))) pixels[at++] = (byte)(level >> 8);
        });
        return (raster.Width, raster.Height, pixels);
    }

    private static void CheckSize(IImageInfo info, long mostPixels)
    {
        long pixels = (long)info.Width * info.Height;
        if (info.Width < 1 || info.Height < 1 || pixels > Image.MaxPixels)
            throw new InvalidDataException($"its size {info.Width}×{info.Height} is not from 1 to {Image.MaxPixels} pixels");
        if (pixels > mostPixels) throw new InvalidDataException($"it is too short to hold {info.Width}×{info.Height} pixels");
    }

    private static void CheckFits(Image image, ImageFormat format)
    {
        int side = format == ImageFormat.Jpeg ? MostJpegSide : MostWebpSide;
        if (Math.Max(image.Width, image.Height) > side)
            throw new InvalidDataException(
                $"it is {image.Width}×{image.Height} pixels large, and a side has at most {side} in this format; save it as .png");
        long texts = 2L * (image.Parameters?.Length ?? 0) + System.Text.Encoding.UTF8.GetByteCount(image.RequestJson ?? "");
        if (format == ImageFormat.Jpeg && texts > MostJpegTexts)
            throw new InvalidDataException(
                $"its settings take {texts} bytes, and a JPEG file has room for {MostJpegTexts}; save it as .png or .webp");
    }

    private static void AddTexts(IList<PngTextData> texts, Image image)
    {
        if (image.Parameters is not null) texts.Add(new PngTextData(PngText.Parameters, image.Parameters, "", ""));
        if (image.RequestJson is not null) texts.Add(new PngTextData(PngText.Request, image.RequestJson, "", ""));
    }
}
