using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines;

/// <summary>
/// The requests whose kernels a pack has: text to image with and without guidance, with every scheduler, and previews; image to image and
/// inpainting, where the model does both.
/// </summary>
/// <param name="pipeline">A pipeline on a device that records.</param>
internal sealed class PackedRuns(DiffusionPipeline pipeline)
{
    private const int Steps = 4; // as many as the schedulers' longest histories
    private const double Guidance = 5, NoGuidance = 1, Rescale = 0.5, Strength = 1;

    /// <summary>Runs all of them, in every size and number of images.</summary>
    public void Run(IReadOnlyList<PixelSize> sizes, IReadOnlyList<int> counts, CancellationToken cancellation)
    {
        foreach (var size in sizes.DefaultIfEmpty(pipeline.Defaults.Size))
            foreach (int count in counts.DefaultIfEmpty(1))
                foreach (var request in Requests(size, count)) Run(request, cancellation);
    }

    private void Run(ImageRequest request, CancellationToken cancellation) =>
        _ = pipeline.Generate(request, null, cancellation, previews: new StepPreviews(new PreviewOptions()));

    private IEnumerable<ImageRequest> Requests(PixelSize size, int count)
    {
        var (image, mask) = (Flat(size, 128), Flat(size, 255));
        var plain = new ImageRequest("a red heart")
        {
            Seed = 1,
            Steps = Steps,
            Count = count,
            Width = size.Width,
            Height = size.Height,
            GuidanceScale = Guidance,
            NegativePrompts = ["blurred"],
        };
        var changed = plain with { InitImage = image, Strength = Strength };
        var inpainted = changed with { MaskImage = mask };
        if (pipeline.Limits.InpaintingOnly) plain = inpainted;
        yield return plain;
        yield return plain with { GuidanceScale = NoGuidance };
        yield return plain with { GuidanceRescale = Rescale };
        foreach (var scheduler in SchedulerCatalog.ClassNames.Select(Create).OfType<Scheduler>())
            yield return plain with { Scheduler = scheduler, GuidanceScale = NoGuidance };
        if (pipeline.Limits.InpaintingOnly) yield break;
        yield return changed;
        yield return inpainted;
    }

    /// <summary>A scheduler; null if the model's configuration does not suit it, so that no request can have it.</summary>
    private Scheduler? Create(string name)
    {
        try
        {
            return pipeline.CreateScheduler(name);
        }
        catch (ModelFileException)
        {
            return null;
        }
    }

    private static Image Flat(PixelSize size, byte level)
    {
        byte[] values = new byte[checked(size.Width * size.Height * 3)];
        Array.Fill(values, level);
        return new Image(size.Width, size.Height, values);
    }
}
