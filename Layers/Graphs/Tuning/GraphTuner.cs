using System.Diagnostics;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A call of a model's plans whose kernels can be tuned.</summary>
/// <param name="Signature">The call, at the sizes of its first occurrence.</param>
/// <param name="Weights">Indices of the arguments that are weights.</param>
/// <param name="Count">Number of calls of this size class per run.</param>
public sealed record TuningProblem(OpSignature Signature, IReadOnlyList<int> Weights, int Count)
{
    internal static TuningProblem Of(PlanStep step) =>
        new(step.Signature, [.. Enumerable.Range(0, step.Node.Inputs.Length).Where(i => step.Node.Inputs[i].Parameter is not null)], 1);

    /// <summary>The same call with another storage type of floating-point weights.</summary>
    internal TuningProblem With(DType weights) => this with
    {
        Signature = Signature with
        {
            Inputs = [
            .. Signature.Inputs.Select((type, i) => Weights.Contains(i) && type.DType.IsFloat() ? type with { DType = weights } : type)]
        },
    };

    /// <summary>Op and size class: <c>matmul Float32,Float32 ≤4096 × 640→640</c>.</summary>
    public override string ToString() => TuningTable.ClassOf(Signature)?.ToString() ?? Signature.Op.Name;
}

/// <summary>Progress of tuning.</summary>
/// <param name="Done">Number of finished problems.</param>
/// <param name="Total">Total number of problems.</param>
/// <param name="Problem">The problem just finished, or the first one at the start.</param>
/// <param name="Entry">Its result; null at the start.</param>
public sealed record TuningProgress(int Done, int Total, TuningProblem Problem, TuningEntry? Entry);

/// <summary>Result of tuning a model's plans.</summary>
/// <param name="Results">Problems and their results.</param>
/// <param name="Seconds">Total time.</param>
public sealed record TuningSummary(IReadOnlyList<(TuningProblem Problem, TuningEntry Entry)> Results, double Seconds)
{
    /// <summary>Combined speed of a run's tuned calls relative to untuned, as measured while tuning; 1 if there were none.</summary>
    public double Gain =>
        Results.Count == 0 ? 1 : Results.Sum(r => r.Problem.Count * r.Entry.DefaultMicroseconds)
            / Results.Sum(r => r.Problem.Count * r.Entry.Microseconds);

    /// <summary>Number of problems for which another kernel or other settings were chosen.</summary>
    public int Changed => Results.Count(r => r.Entry.Gain > 1);
}

/// <summary>
/// Fills a device's tuning table for the ops of a model's plans. Each result is saved immediately: cancelling loses only the current
/// search.
/// </summary>
/// <param name="device">The device, whose table is updated and saved.</param>
/// <param name="options">Time budget and margin.</param>
public sealed class GraphTuner(Device device, TunerOptions options)
{
    private const double LeastFlops = 2e6; // smaller calls take microseconds with any settings
    private bool warned;

    /// <summary>The tunable calls of some plans, one per size class, most work first.</summary>
    /// <param name="plans">Compiled graphs and their sizes.</param>
    /// <param name="onlyMissing">Whether to skip calls that are in the user's table.</param>
    /// <param name="weights">Storage type of floating-point weights; null keeps the current one.</param>
    public IReadOnlyList<TuningProblem> Problems(IEnumerable<(CompiledGraph Graph, Sizes Sizes)> plans, bool onlyMissing,
        DType? weights = null)
    {
        var problems = new Dictionary<SizeClass, TuningProblem>();
        foreach (var call in plans.SelectMany(p => p.Graph.Calls(p.Sizes)).Select(p => weights is { } type ? p.With(type) : p))
        {
            if (TuningTable.ClassOf(call.Signature) is not { } sizeClass || call.Signature.Op.Flops(call.Signature) < LeastFlops
                || !Choices(call.Signature).Skip(1).Any()) continue;
            if (onlyMissing && device.Tuning.FindOwn(call.Signature) is not null) continue;
            problems[sizeClass] = problems.TryGetValue(sizeClass, out var known) ? known with { Count = known.Count + 1 } : call;
        }

        return [.. problems.Values.OrderByDescending(p => p.Count * p.Signature.Op.Flops(p.Signature))];
    }

    /// <summary>Tunes each problem in turn.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; results found so far are in the table and on disk.</exception>
    public TuningSummary Run(IReadOnlyList<TuningProblem> problems, IProgress<TuningProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var clock = Stopwatch.StartNew();
        var results = new List<(TuningProblem, TuningEntry)>();
        if (problems.Count > 0) progress?.Report(new(0, problems.Count, problems[0], null));
        foreach (var problem in problems)
        {
            using var timer = new KernelTimer(device, problem.Signature, problem.Weights);
            var candidates = problem.Signature.Op.Kernels.Candidates(device, problem.Signature).ToArray();
            var found = new Tuner(timer, options).Run(device, problem.Signature, candidates, cancellation);
            var entry = device.Tuning.Add(problem.Signature, found.Best, found.DefaultSeconds, found.Seconds);
            Save();
            results.Add((problem, entry));
            progress?.Report(new(results.Count, problems.Count, problem, entry));
        }

        return new TuningSummary(results, clock.Elapsed.TotalSeconds);
    }

    private void Save()
    {
        try
        {
            device.Tuning.Save();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // results are still used in this process
        {
            if (!warned) GraphLog.TuningNotKept(device.LoggerFactory.CreateLogger<GraphTuner>(), device.Tuning.Path ?? "", e.Message);
            warned = true;
        }
    }

    /// <summary>One item per parameter value, and one more per variant; a single item means that there is nothing to tune.</summary>
    private IEnumerable<int> Choices(OpSignature signature) =>
        signature.Op.Kernels.Candidates(device, signature).Take(options.SameBits ? 1 : int.MaxValue)
            .SelectMany(v => (options.SameBits && v.Tuning.ChangesBits ? [] : v.Tuning.Parameters).SelectMany(p => p.Values).Prepend(0));
}
