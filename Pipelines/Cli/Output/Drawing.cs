using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Draws with one model, or with one that begins every run and a refiner that ends it.</summary>
/// <param name="first">The model.</param>
/// <param name="refiner">Ends the runs; null for none.</param>
internal sealed class Drawing(DiffusionPipeline first, DiffusionPipeline? refiner)
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

    private static Task<GenerationResult> ShowAsync(DiffusionPipeline pipeline, ImageRequest request, int place, int requests,
        CancellationToken cancellation)
    {
        string title = requests == 1 ? $"{pipeline.Name} on {pipeline.Device}"
            : $"{place + 1}/{requests} {OutsideText.Quote(request.Prompts[0])} by {pipeline.Name} on {pipeline.Device}";
        return DrawingProgress.ShowAsync(title, progress => pipeline.GenerateAsync(request, progress, cancellation));
    }
}
