using System.Globalization;
using System.Reflection;
using System.Text;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>
/// The results of <c>ilgd bench</c>, one line per image: first the columns of diffusers' benchmarks
/// (<c>benchmarks/utils.py</c>, BENCHMARK_FIELDS), then those that they lack.
/// </summary>
internal static class BenchCsv
{
    private const string Columns = "pipeline_cls,ckpt_id,batch_size,num_inference_steps,model_cpu_offload,run_compile,time (secs),"
        + "memory (gbs),actual_gpu_memory (gbs),github_sha,"
        + "rung,round,encode_seconds,plan_seconds,denoise_seconds,decode_seconds,seconds_per_step,psnr,mean_difference\n";

    /// <summary>Writes the table.</summary>
    /// <param name="ladder">The results.</param>
    /// <param name="deviceBytes">The device's memory.</param>
    public static string Of(Ladder ladder, long deviceBytes)
    {
        var text = new StringBuilder(Columns);
        var first = ladder.Results[0];
        foreach (var result in ladder.Results)
        {
            var options = result.Rung.Options;
            var difference = result.DifferenceTo(first);
            bool compiles = options.Compile is not { } compile || compile != CompileOptions.Eager;
            foreach (var (round, run) in result.Runs.Index())
                text.AppendJoin(',', [ladder.PipelineClass, Quoted(ladder.Model), "1", N(result.Steps), Word(options.Offload),
                    Word(compiles),
                    N(run.Drawing), N(Gigabytes(result.PeakBytes)), N(Gigabytes(deviceBytes)), Commit, result.Rung.Name,
                    N(round + 1), N(run.Encode), N(run.Compile), N(run.Denoise), N(run.Decode), N(run.Denoise / result.Steps),
                    N(difference.Psnr), N(difference.Mean)]).Append('\n');
        }

        return text.ToString();
    }

    // Builds outside a checkout have a version alone.
    private static string Commit =>
        typeof(BenchCsv).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[^1] ?? "";

    private static double Gigabytes(long bytes) => bytes / (double)(1 << 30);

    private static string Quoted(string text) => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Word(bool value) => value ? "True" : "False"; // as Python writes them

    private static string N(double value) =>
        double.IsPositiveInfinity(value) ? "inf" : value.ToString("0.######", CultureInfo.InvariantCulture);
}
