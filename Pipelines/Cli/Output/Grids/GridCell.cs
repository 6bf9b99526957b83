using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>One image of a grid.</summary>
/// <param name="Row">The row's value.</param>
/// <param name="Column">The column's value; empty for a grid with one column.</param>
/// <param name="Result">What was generated; null where it failed.</param>
/// <param name="Problem">Why it failed; null where it did not.</param>
internal sealed record GridCell(string Row, string Column, GenerationResult? Result, string? Problem)
{
    /// <summary>The image; null where it failed.</summary>
    public Image? Image => Result?.Images[0];

    /// <summary>Time from the prompt to the image, without compilation.</summary>
    public double Seconds => Result!.Stages.Sum(stage => stage.Seconds);

    /// <summary>Time of the denoising loop, without compilation.</summary>
    public double DenoiseSeconds => Result!.Stages.Where(stage => stage.Stage == GenerationStage.Denoise)
        .Sum(stage => stage.Seconds);

    /// <summary>Time for tracing, compiling and planning, most of it in the first image of a size.</summary>
    public double CompileSeconds => Result!.Stages.Sum(stage => stage.CompileSeconds);
}
