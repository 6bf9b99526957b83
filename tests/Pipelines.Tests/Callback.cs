using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Progress that calls back at once, on the reporting thread; <see cref="Progress{T}"/> would do so later, on another.</summary>
internal sealed class Callback(Action<GenerationProgress> report) : IProgress<GenerationProgress>
{
    public void Report(GenerationProgress value) => report(value);
}
