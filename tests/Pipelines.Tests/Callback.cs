using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Progress that is told at once, on the thread that reports: <see cref="Progress{T}"/> would be told later, on another.</summary>
internal sealed class Callback(Action<GenerationProgress> report) : IProgress<GenerationProgress>
{
    public void Report(GenerationProgress value) => report(value);
}
