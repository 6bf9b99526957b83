using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Draws with one model, or with one that begins every run and a refiner that ends it.</summary>
/// <param name="first">The model.</param>
/// <param name="refiner">Ends the runs; null for none.</param>
/// <param name="previewEvery">Number of steps between previews; null for none.</param>
/// <param name="show">Shows the previews of a step.</param>
internal sealed class Drawing(DiffusionPipeline first, DiffusionPipeline? refiner, int? previewEvery, Action<IReadOnlyList<Image>> show)
{
    /// <summary>The model that decodes.</summary>
    public DiffusionPipeline Last => refiner ?? first;

    /// <summary>Names of the models, in the order in which they run.</summary>
    public string[] Models => refiner is null ? [first.Name] : [first.Name, refiner.Name];

    /// <summary>
    /// Draws requests one after the other, with progress on stderr. With a refiner the first model begins all of them and is disposed, so
    /// that the device never holds both.
    /// </summary>
    public async IAsyncEnumerable<GenerationResult> RunAsync(IReadOnlyList<ImageRequest> requests,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (refiner is null)
        {
            foreach (var (place, request) in requests.Index())
                yield return await ShowAsync(first, request, place, requests.Count, cancellation).ConfigureAwait(false);
            yield break;
        }

        Refinement.Check(first, refiner);
        var begun = new List<GenerationResult>();
        foreach (var (place, request) in requests.Index())
            begun.Add(await ShowAsync(first, request, place, requests.Count, cancellation).ConfigureAwait(false));
        first.Dispose();
        foreach (var (place, request) in requests.Index())
        {
            var rest = Refinement.Continue(first, request, begun[place], refiner);
            var refined = await ShowAsync(refiner, rest, place, requests.Count, cancellation).ConfigureAwait(false);
            yield return Refinement.Join(first, request, begun[place], refined);
        }
    }

    private Task<GenerationResult> ShowAsync(DiffusionPipeline pipeline, ImageRequest request, int place, int requests,
        CancellationToken cancellation)
    {
        string title = requests == 1 ? $"{pipeline.Name} on {pipeline.Device}"
            : $"{place + 1}/{requests} {OutsideText.Quote(request.Prompts[0])} by {pipeline.Name} on {pipeline.Device}";
        return DrawingProgress.ShowAsync(title, progress => previewEvery is { } every
            ? PreviewAsync(pipeline, request, new PreviewOptions { Every = every }, progress, cancellation)
            : pipeline.GenerateAsync(request, progress, cancellation));
    }

    private async Task<GenerationResult> PreviewAsync(DiffusionPipeline pipeline, ImageRequest request, PreviewOptions options,
        IProgress<GenerationProgress> progress, CancellationToken cancellation)
    {
        await foreach (var update in pipeline.StreamAsync(request, options, cancellation).ConfigureAwait(false))
        {
            if (update.Result is { } result) return result;
            progress.Report(update.Progress);
            if (update.Previews.Count > 0) show(update.Previews);
        }

        throw new InvalidOperationException("The stream ended without a result.");
    }
}
