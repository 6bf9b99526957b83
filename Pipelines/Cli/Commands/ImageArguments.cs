using System.CommandLine;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Metadata;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The options of image to image and inpainting.</summary>
internal sealed class ImageArguments
{
    private readonly Option<string?> initial =
        new("--init-image") { Description = "Image to change instead of drawing from noise alone", HelpName = "FILE" };
    private readonly Option<double?> strength =
        Options.Number("--strength", "How far it is changed, above 0 to 1: the fraction of the steps that run");
    private readonly Option<string?> mask =
        new("--mask-image") { Description = "Inpainting: redraws only what is white in this image", HelpName = "FILE" };
    private readonly Option<double?> blur = Options.Number("--mask-blur", "Inpainting: blurs the mask's edge, in its pixels");
    private readonly Option<int?> padding =
        Options.Natural("--padding-mask-crop", "Inpainting: draws the part around the mask alone, with a margin of N pixels");

    /// <summary>In the order of the help.</summary>
    public IReadOnlyList<Option> All => [initial, strength, mask, blur, padding];

    /// <summary>Whether a part of an image is redrawn.</summary>
    public bool HasMask(ParseResult parsed) => parsed.GetValue(mask) is not null;

    /// <summary>Checks what can be checked before the model is loaded.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="origin">Metadata of the image to generate again; null for none.</param>
    /// <param name="file">That image's file.</param>
    /// <param name="hasLatents">Whether start latents are given.</param>
    /// <exception cref="ArgumentException">Options do not go together.</exception>
    public void Check(ParseResult parsed, GenerationMetadata? origin, string? file, bool hasLatents)
    {
        bool hasImage = parsed.GetValue(initial) is not null, hasMask = HasMask(parsed);
        string drawn = OutsideText.Quote(file ?? "");
        if (origin is { ExternalImage: true } && !hasImage)
            throw new ArgumentException($"--init-image is missing: {drawn} was generated from an image, which it does not contain.");
        if (origin is { ExternalMask: true } && !hasMask)
            throw new ArgumentException($"--mask-image is missing: {drawn} was generated with a mask, which it does not contain.");
        Require(hasImage, "--init-image, the image to change", strength, mask);
        Require(hasMask, "--mask-image, the mask", blur, padding);
        if (hasImage && hasLatents)
            throw new ArgumentException("--init-image and --latents are given; a run begins with one of them. Leave one out.");

        void Require(bool given, string needed, params ReadOnlySpan<Option> dependent)
        {
            foreach (var option in dependent)
                if (!given && parsed.GetResult(option) is { Implicit: false } result)
                    throw new ArgumentException(
                        $"{option.Name} is {OutsideText.Quote(result.Tokens[^1].Value)}, but {needed}, is missing.");
        }
    }

    /// <summary>Reads the images.</summary>
    /// <exception cref="ImageFileException">A file is missing or is no image.</exception>
    public (Image? Initial, Image? Mask) Read(ParseResult parsed) => (Load(parsed.GetValue(initial)), Load(parsed.GetValue(mask)));

    /// <summary>The request with the options' settings.</summary>
    public ImageRequest Apply(ParseResult parsed, ImageRequest request, (Image? Initial, Image? Mask) images) => request with
    {
        InitImage = images.Initial,
        MaskImage = images.Mask,
        Strength = parsed.GetValue(strength) ?? request.Strength,
        MaskBlur = parsed.GetValue(blur) ?? request.MaskBlur,
        PaddingMaskCrop = parsed.GetValue(padding) ?? request.PaddingMaskCrop,
    };

    private static Image? Load(string? path) => path is null ? null : Image.Load(path);
}
