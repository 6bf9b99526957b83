using System.Collections.Concurrent;
using System.Diagnostics;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.ObjectPool;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// A graph compiled for a device. Compiled once; each new combination of sizes only makes a plan (unless
/// <see cref="CompileOptions.Dynamic"/> is false). Several threads may rent plans concurrently.
/// </summary>
public sealed class CompiledGraph
{
    private static int compilations, instances;
    private readonly ConcurrentDictionary<(Sizes Sizes, ValueArray<string> Keep,
        AttentionOptions? Attention), Lazy<PlanLayout>> layouts = new();
    private readonly ConcurrentDictionary<Sizes, Lazy<CompiledModel>> models = new(); // by sizes where they are fixed, else under one key
    private readonly ConcurrentDictionary<(Sizes, AttentionOptions?), bool> tuned = new();
    private readonly CompileNotes notes;
    private readonly ArenaPool arenas;
    private readonly ObjectPool<GraphContext> contexts;
    private readonly Graph source;
    private readonly SplitGraph? split;
    private readonly Lock gate = new();
    private readonly int number;
    private double planSeconds;

    /// <summary>Compiles a graph. With constant sizes, compilation is deferred to the first plan.</summary>
    /// <param name="source">The graph.</param>
    /// <param name="arenas">Arenas and device.</param>
    /// <param name="options">Options; null for all passes.</param>
    /// <exception cref="GraphBreakException">The graph is broken and <see cref="CompileOptions.FullGraph"/> is set.</exception>
    public CompiledGraph(Graph source, ArenaPool arenas, CompileOptions? options = null)
    {
        (this.source, this.arenas, Options) = (source, arenas, options ?? new());
        notes = new CompileNotes(Options, arenas.Device);
        contexts = new DefaultObjectPool<GraphContext>(new ContextPolicy(this));
        if (source.Break is { } at)
        {
            if (Options.FullGraph) throw new GraphBreakException(at);
            notes.Add($"{at.Where}; the graph is split there, and every run waits for the device.");
            split = new SplitGraph(source, arenas, Options, notes);
        }
        else if (Options.Dynamic != false)
        {
            _ = ModelFor(AnySizes);
        }

        number = Interlocked.Increment(ref instances);
    }

    private static Sizes AnySizes { get; } = new();

    /// <summary>Number of compilations in this process.</summary>
    public static int Compilations => compilations;

    /// <summary>The graph after all passes; as recorded if compilation depends on sizes or on a value read.</summary>
    public Graph Graph => models.TryGetValue(AnySizes, out var model) ? model.Value.Graph : source;

    /// <summary>The options that the graph was compiled with.</summary>
    public CompileOptions Options { get; }

    /// <summary>The device.</summary>
    public Device Device => arenas.Device;

    internal ArenaPool Arenas => arenas;

    /// <summary>Number of plans: one per combination of sizes, and per implementation of attention that a scope chose.</summary>
    public int Plans => split?.Compiled.Sum(part => part.Plans) ?? layouts.Count;

    /// <summary>Report of all compilations so far.</summary>
    public CompileReport CompileReport =>
        split is not null ? CompileReport.Of(source, Options, [.. split.Compiled.Select(part => part.CompileReport)], notes.Lines)
            : new CompileReport(
        source.Name, Options, [.. Models.SelectMany(m => m.Regions)], source.TraceTime.TotalSeconds, Models.Sum(m => m.Seconds),
            planSeconds,
        models.Count, layouts.Count, Layouts.SelectMany(l => l.LoopInvariantSteps.Concat(l.Steps)).Select(s => s.Kernel).Distinct().Count(),
            notes.Lines)
            {
                Attention = [.. Layouts.SelectMany(l => l.LoopInvariantSteps.Concat(l.Steps)).Select(s => s.Attention(Device))
                .OfType<AttentionChoice>().Distinct()],
                PlanSizes = [.. layouts.Keys.Select(key => key.Sizes).Distinct().OrderBy(sizes => $"{sizes}", StringComparer.Ordinal)],
            };

    private IEnumerable<CompiledModel> Models => models.Values.Where(m => m.IsValueCreated).Select(m => m.Value);

    private IEnumerable<PlanLayout> Layouts => layouts.Values.Where(l => l.IsValueCreated).Select(l => l.Value);

    /// <summary>A plan for the given sizes, to be disposed after use.</summary>
    /// <param name="sizes">A value for every symbol of the graph.</param>
    /// <param name="keep">Paths of layers whose results should be readable afterwards (<see cref="Plan.Named"/>); costs memory.</param>
    /// <param name="cancellation">Cancels waiting for kernels that are being compiled and for weight uploads. Kernels already being
    /// compiled are finished in the background, and kept.</param>
    /// <exception cref="ShapeException">The graph does not support these sizes.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Plan Rent(Sizes sizes, IReadOnlyCollection<string>? keep = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        if (split is not null) return new SplitPlan(split, arenas.Device, sizes, keep ?? []);
        var kept = keep is null ? [] : new SortedSet<string>(keep, StringComparer.Ordinal);
        var layout = Layout(sizes, kept);
        layout.Prepare(Device, cancellation); // kernels are compiled while weights are uploaded
        return contexts.Get().Open(layout, cancellation);
    }

    /// <summary>
    /// Starts compiling the kernels that a plan for the given sizes needs in the background, so that <see cref="Rent"/> finds them. Takes
    /// no device memory. Does nothing for a graph that is broken or still to be tuned, whose kernels are not yet known.
    /// </summary>
    /// <param name="sizes">A value for every symbol of the graph.</param>
    /// <param name="cancellation">Skips kernels whose compilation has not started.</param>
    /// <exception cref="ShapeException">The graph does not support these sizes.</exception>
    public void Prepare(Sizes sizes, CancellationToken cancellation = default)
    {
        if (Device.CompilesKernels && split is null && !Options.Tunes) Layout(sizes, []).Prepare(Device, cancellation);
    }

    /// <summary>
    /// Steps and memory of a plan for the given sizes. Takes no device memory; weights need not be loaded. For a broken graph, covers the
    /// part before the first read.
    /// </summary>
    /// <param name="sizes">A value for every symbol of the graph.</param>
    /// <exception cref="ShapeException">The graph does not support these sizes.</exception>
    public PlanReport Report(Sizes sizes) =>
        split is not null ? split.First.Current.Compiled.Report(sizes)
            : PlanReport.Of(Layout(sizes, [])) with { PackedWeightBytes = arenas.PackedWeights.Bytes };

    /// <summary>The calls of a plan for the given sizes, without kernels.</summary>
    internal IEnumerable<TuningProblem> Calls(Sizes sizes) => split is not null ? split.First.Current.Compiled.Calls(sizes) :
        new PlanLayout(ModelAt(sizes).Graph, Device, sizes, new HashSet<string>(), Options, AttentionScope.Current) is var layout
            ? layout.LoopInvariantSteps.Concat(layout.Steps).Select(TuningProblem.Of) : [];

    /// <summary>
    /// Tunes the ops of a plan, if the options request it and the device's table has no results for them; else does nothing.
    /// <see cref="Rent"/> calls it implicitly; call it beforehand to be able to cancel.
    /// </summary>
    /// <param name="sizes">A value for every symbol of the graph.</param>
    /// <param name="cancellation">Checked between timings; results found so far are kept.</param>
    public void Tune(Sizes sizes, CancellationToken cancellation = default)
    {
        var key = (sizes, AttentionScope.Current);
        if (Options.Tunes && split is null && tuned.TryAdd(key, true)) Attempt();

        void Attempt()
        {
            try
            {
                PlanTuning.Run(this, sizes, cancellation);
            }
            catch
            {
                tuned.TryRemove(key, out _);
                throw;
            }
        }
    }

    private PlanLayout Layout(Sizes sizes, SortedSet<string> keep) =>
        layouts.GetOrAdd((sizes, new([.. keep]), AttentionScope.Current), key => new(() =>
    {
        Tune(sizes);
        var model = ModelAt(sizes);
        long start = Stopwatch.GetTimestamp();
        var layout = new PlanLayout(model.Graph, Device, sizes, keep, Options, key.Attention);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        lock (gate) planSeconds += seconds;
        return layout;
    })).Value;

    private CompiledModel ModelAt(Sizes sizes) => ModelFor(Options.Dynamic == false ? sizes : AnySizes);

    private CompiledModel ModelFor(Sizes sizes) => models.GetOrAdd(sizes, _ => new(() =>
    {
        if (Options.Dynamic == false && models.Count == 2) // the second combination of sizes
            notes.Add($"{source.Name}: compiled again for {sizes}, because {nameof(CompileOptions.Dynamic)} is false, and will be for each "
                + "further combination of sizes. Leave it out to compile once.");
        Interlocked.Increment(ref compilations);
        return Options.Dynamic == false ? GraphCompiler.Compile(source, Options, sizes) : GraphCompiler.Compile(source, Options);
    })).Value;

    /// <summary>Keeps a context, with its plan, for the next user.</summary>
    internal void Return(GraphContext context) => contexts.Return(context);

    /// <summary>Name and number, for logs.</summary>
    public override string ToString() => $"{source.Name} #{number}";

    private sealed class ContextPolicy(CompiledGraph graph) : PooledObjectPolicy<GraphContext>
    {
        public override GraphContext Create() => new(graph);

        public override bool Return(GraphContext obj) => true;
    }
}
