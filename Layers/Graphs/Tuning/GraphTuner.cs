using System.Diagnostics;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A call of a model's plans that its op's kernels can be tuned for.</summary>
/// <param name="Signature">The call, at the sizes where it was first met.</param>
/// <param name="Weights">Numbers of the arguments that are weights.</param>
/// <param name="Count">How often a run makes calls of this size class.</param>
public sealed record TuningProblem(OpSignature Signature, IReadOnlyList<int> Weights, int Count)
{
    internal static TuningProblem Of(PlanStep step) =>
        new(step.Signature, [.. Enumerable.Range(0, step.Node.Inputs.Length).Where(i => step.Node.Inputs[i].Parameter is not null)], 1);

    /// <summary>The same call with floating-point weights stored in another type.</summary>
    internal TuningProblem With(DType weights) => this with
    {
        Signature = Signature with { Inputs = [.. Signature.Inputs.Select((type, i) => Weights.Contains(i) && type.DType.IsFloat() ? type with { DType = weights } : type)] },
    };

    /// <summary>Op and size class: <c>matmul Float32,Float32 ≤4096 × 640→640</c>.</summary>
    public override string ToString() => TuningTable.ClassOf(Signature) ?? Signature.Op.Name;
}

/// <summary>How far tuning is.</summary>
/// <param name="Done">Problems done.</param>
/// <param name="Total">Problems in all.</param>
/// <param name="Problem">The one just done, or the first one to come.</param>
/// <param name="Entry">What was found for it; null before the first.</param>
public sealed record TuningProgress(int Done, int Total, TuningProblem Problem, TuningEntry? Entry);

/// <summary>What tuning a model's plans gave.</summary>
/// <param name="Results">Problems and what was found for them.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record TuningSummary(IReadOnlyList<(TuningProblem Problem, TuningEntry Entry)> Results, double Seconds)
{
    /// <summary>How many times as fast the tuned calls of a run are, all together, as measured while tuning; 1 where there was nothing to do.</summary>
    public double Gain => Results.Count == 0 ? 1 : Results.Sum(r => r.Problem.Count * r.Entry.DefaultMicroseconds) / Results.Sum(r => r.Problem.Count * r.Entry.Microseconds);

    /// <summary>How many were given another kernel or other settings than without measuring.</summary>
    public int Changed => Results.Count(r => r.Entry.Gain > 1);
}

/// <summary>Fills a device's tuning table for the ops of a model's plans. Each result is kept as soon as it is there: whoever cancels loses only the search at hand.</summary>
/// <param name="device">The device; its table is added to and saved.</param>
/// <param name="options">How long, and what counts as faster.</param>
public sealed class GraphTuner(Device device, TunerOptions options)
{
    private const double LeastFlops = 2e6; // a smaller call takes some microseconds however it is cut
    private bool warned;

    /// <summary>The calls of some plans that can be tuned, each size class once, the most work first.</summary>
    /// <param name="plans">Compiled graphs, and the sizes that they will run at.</param>
    /// <param name="onlyMissing">Whether those that the user's table has already are left out.</param>
    /// <param name="weights">What floating-point weights are stored in; null takes them as they are.</param>
    public IReadOnlyList<TuningProblem> Problems(IEnumerable<(CompiledGraph Graph, Sizes Sizes)> plans, bool onlyMissing, DType? weights = null)
    {
        var problems = new Dictionary<string, TuningProblem>(StringComparer.Ordinal);
        foreach (var call in plans.SelectMany(p => p.Graph.Calls(p.Sizes)).Select(p => weights is { } type ? p.With(type) : p))
        {
            if (TuningTable.ClassOf(call.Signature) is not { } sizeClass || call.Signature.Op.Flops(call.Signature) < LeastFlops || !Choices(call.Signature).Skip(1).Any()) continue;
            if (onlyMissing && device.Tuning.FindOwn(call.Signature) is not null) continue;
            problems[sizeClass] = problems.TryGetValue(sizeClass, out var known) ? known with { Count = known.Count + 1 } : call;
        }

        return [.. problems.Values.OrderByDescending(p => p.Count * p.Signature.Op.Flops(p.Signature))];
    }

    /// <summary>Searches for each problem in turn.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; what was found until then is in the table and on disk.</exception>
    public TuningSummary Run(IReadOnlyList<TuningProblem> problems, IProgress<TuningProgress>? progress = null, CancellationToken cancellation = default)
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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // results still serve this process
        {
            if (!warned) GraphLog.TuningNotKept(device.LoggerFactory.CreateLogger<GraphTuner>(), device.Tuning.Path ?? "", e.Message);
            warned = true;
        }
    }

    /// <summary>All that there is to choose between; one choice means that there is nothing to tune.</summary>
    private IEnumerable<int> Choices(OpSignature signature) =>
        signature.Op.Kernels.Candidates(device, signature).Take(options.SameBits ? 1 : int.MaxValue)
            .SelectMany(v => (options.SameBits && v.Tuning.ChangesBits ? [] : v.Tuning.Parameters).SelectMany(p => p.Values).Prepend(0));
}
