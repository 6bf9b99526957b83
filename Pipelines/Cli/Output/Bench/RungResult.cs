using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>One image's times.</summary>
/// <param name="Encode">Seconds of the text encoders.</param>
/// <param name="Denoise">Seconds of the loop.</param>
/// <param name="Decode">Seconds of the decoder.</param>
/// <param name="Compile">Seconds of tracing, compiling and planning before the loop.</param>
internal readonly record struct BenchRun(double Encode, double Denoise, double Decode, double Compile)
{
    public double Total => Encode + Compile + Denoise + Decode;

    /// <summary>
    /// Without plans: every rung frees its memory after each image, so that rungs do not share it, and plans anew; a program that draws
    /// several images does not.
    /// </summary>
    public double Drawing => Encode + Denoise + Decode;

    public static BenchRun Of(GenerationResult result) =>
        new(Seconds(result, GenerationStage.EncodePrompt), Seconds(result, GenerationStage.Denoise),
        Seconds(result, GenerationStage.Decode), result.Stages.Sum(s => s.CompileSeconds));

    private static double Seconds(GenerationResult result, GenerationStage stage) =>
        result.Stages.Where(s => s.Stage == stage).Sum(s => s.Seconds);
}

/// <summary>Results of a rung.</summary>
/// <param name="Rung">The rung.</param>
/// <param name="First">The first image, which includes compiling and filling caches and is not counted.</param>
/// <param name="Runs">The others, one per round.</param>
/// <param name="Launches">Kernels launched per step.</param>
/// <param name="ArenaBytes">The largest memory of intermediate values.</param>
/// <param name="PeakBytes">The most memory that the device had allocated for this rung, without mapped weights.</param>
/// <param name="Steps">Model evaluations per image.</param>
/// <param name="Image">The image.</param>
internal sealed record RungResult(Rung Rung, BenchRun First, IReadOnlyList<BenchRun> Runs, int Launches, long ArenaBytes, long PeakBytes,
    int Steps, Image Image)
{
    /// <summary>A median further than this from the best indicates that other programs use the machine.</summary>
    private const double QuietSpread = 0.15;

    public double Median => Of(r => r.Drawing);

    public double Best => Runs.Min(r => r.Drawing);

    /// <summary>How far the median is above the best, relative to it.</summary>
    public double Spread => Median / Best - 1;

    public bool IsNoisy => Spread > QuietSpread;

    /// <summary>The median of one part of a run.</summary>
    public double Of(Func<BenchRun, double> part) => Middle(Runs.Select(part));

    /// <summary>Speed relative to another rung: the median of the ratios of each round.</summary>
    public double RatioTo(RungResult other) => Middle(Runs.Zip(other.Runs, (mine, its) => its.Drawing / mine.Drawing));

    /// <summary>How far its image is from another rung's.</summary>
    public ImageDifference DifferenceTo(RungResult other) => ImageDifference.Between(Image, other.Image);

    private static double Middle(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
