using System.Globalization;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

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
            var tuner = new GraphTuner(graph.Device, new TunerOptions { Budget = BudgetPerOp, CheckAllDirections = graph.Options.CoordinateDescentCheckAllDirections });
            var problems = tuner.Problems([(graph, sizes)], onlyMissing: true);
            if (problems.Count == 0) return;
            string kept = graph.Device.Tuning.Path is { } path ? $"kept in {path}" : "for this process only";
            Notices.Inform($"tuning {problems.Count} ops and sizes of {graph}, at most {problems.Count * BudgetPerOp.TotalSeconds:F0} s, {kept}");
            var summary = tuner.Run(problems, new Tenths(graph), cancellation);
            Notices.Inform(string.Create(CultureInfo.InvariantCulture, $"tuned in {summary.Seconds:F0} s: {summary.Changed} of {summary.Results.Count} changed, these ops are {summary.Gain:0.000}× as fast"));
        }
    }

    /// <summary>Logs a line for every tenth of the work.</summary>
    private sealed class Tenths(CompiledGraph graph) : IProgress<TuningProgress>
    {
        private int shown;

        public void Report(TuningProgress value)
        {
            int tenth = 10 * value.Done / value.Total;
            if (tenth == shown || value.Done == value.Total) return;
            shown = tenth;
            Notices.Inform($"tuning {graph}: {value.Done} of {value.Total}");
        }
    }
}
