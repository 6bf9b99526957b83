using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Tuning of a new plan's ops for <see cref="CompileOptions.CoordinateDescentTuning"/> and <see cref="CompileMode.MaxAutotune"/>. Always
/// logged, because it can take longer than generating an image; results are saved, so it happens once.
/// </summary>
internal static class PlanTuning
{
    private static readonly TimeSpan BudgetPerOp = TimeSpan.FromSeconds(2);
    private static readonly Lock Turn = new(); // concurrent searches would disturb each other's timings

    /// <summary>Tunes what the device's table does not have yet.</summary>
    public static void Run(CompiledGraph graph, Sizes sizes, CancellationToken cancellation)
    {
        lock (Turn)
        {
            var tuner = new GraphTuner(graph.Device,
                new TunerOptions { Budget = BudgetPerOp, CheckAllDirections = graph.Options.CoordinateDescentCheckAllDirections });
            var problems = tuner.Problems([(graph, sizes)], onlyMissing: true);
            if (problems.Count == 0) return;
            string kept = graph.Device.Tuning.Path is { } path ? $"kept in {path}" : "for this process only";
            var logger = graph.Arenas.Logger;
            GraphLog.TuningBegins(logger, problems.Count, graph.ToString(), problems.Count * BudgetPerOp.TotalSeconds, kept);
            var summary = tuner.Run(problems, new Tenths(graph, logger), cancellation);
            GraphLog.Tuned(logger, summary.Seconds, summary.Changed, summary.Results.Count, summary.Gain);
        }
    }

    /// <summary>Logs a line for every tenth of the work.</summary>
    private sealed class Tenths(CompiledGraph graph, ILogger logger) : IProgress<TuningProgress>
    {
        private int shown;

        public void Report(TuningProgress value)
        {
            int tenth = 10 * value.Done / value.Total;
            if (tenth == shown || value.Done == value.Total) return;
            shown = tenth;
            GraphLog.Tuning(logger, graph.ToString(), value.Done, value.Total);
        }
    }
}
