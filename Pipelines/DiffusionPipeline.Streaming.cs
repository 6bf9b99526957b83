using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

public sealed partial class DiffusionPipeline
{
    /// <summary>Generates images and reports progress with previews; the last update has the result.</summary>
    /// <param name="request">Prompts and settings.</param>
    /// <param name="previews">Which previews there are; null for a rough one after every step.</param>
    /// <param name="cancellation">Cancels the request, as leaving the enumeration early does.</param>
    /// <remarks>Exceptions are those of <see cref="GenerateAsync"/>. A slow reader does not slow the generation down.</remarks>
    public async IAsyncEnumerable<GenerationUpdate> StreamAsync(ImageRequest request, PreviewOptions? previews = null,
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var updates = Channel.CreateUnbounded<GenerationUpdate>(new() { SingleReader = true, SingleWriter = true });
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var drawn = new StepPreviews(previews ?? new());
        var work = Task.Run(() =>
        {
            var progress = new Progress(update => updates.Writer.TryWrite(
                new GenerationUpdate(update, update.Stage == GenerationStage.Denoise ? drawn.Latest : [], null)));
            try
            {
                var result = Generate(request, progress, leaving.Token, previews: drawn);
                updates.Writer.TryWrite(new GenerationUpdate(progress.Last, [], result));
                updates.Writer.Complete();
            }
            catch (Exception e)
            {
                updates.Writer.Complete(e);
            }
        }, CancellationToken.None);
        try
        {
            await foreach (var update in updates.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false)) yield return update;
        }
        finally
        {
            await leaving.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(false);
        }
    }

    /// <summary>Hands reports on at once, on the generating thread.</summary>
    private sealed class Progress(Action<GenerationProgress> report) : IProgress<GenerationProgress>
    {
        public GenerationProgress Last { get; private set; }

        public void Report(GenerationProgress value)
        {
            Last = value;
            report(value);
        }
    }
}
