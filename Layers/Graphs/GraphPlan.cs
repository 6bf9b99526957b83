using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>The plan of a graph without breaks: launches bound to one arena.</summary>
internal sealed class GraphPlan : Plan
{
    private readonly CompiledGraph owner;
    private readonly GraphContext context;
    private readonly DeviceBuffer arena;
    private readonly DeviceWeights.Lease weights;
    private readonly Launch[] loopInvariant, launches;
    private Launch? recording; // all launches as one, if the device can record and the options request it
    private bool records, returned, stale = true;

    public GraphPlan(CompiledGraph owner, GraphContext context, PlanLayout layout, DeviceBuffer arena, DeviceWeights.Lease weights,
        GraphPlan? replaced, CancellationToken cancellation)
    {
        (this.owner, this.context, Layout, this.arena, this.weights) = (owner, context, layout, arena, weights);
        (records, recording) = (owner.Options.Mode != CompileMode.Default, replaced?.recording);
        try
        {
            (loopInvariant, launches) =
                ([.. layout.LoopInvariantSteps.Select(step => Bind(step, cancellation))],
                    [.. layout.Steps.Select(step => Bind(step, cancellation))]);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override long ArenaBytes => Layout.ArenaBytes;

    /// <inheritdoc/>
    public override long PeakLiveBytes => Layout.PeakLiveBytes;

    /// <inheritdoc/>
    public override int LaunchCount => launches.Length;

    /// <inheritdoc/>
    public override int LoopInvariantLaunchCount => loopInvariant.Length;

    /// <summary>Number of kernels launched per run: an op may take several.</summary>
    public int KernelCount => launches.Sum(launch => launch.Count);

    public PlanLayout Layout { get; }

    public DeviceBuffer Arena => arena;

    /// <inheritdoc/>
    public override Tensor Input(string name)
    {
        var input = Find(Layout.Graph.Inputs, name, "input");
        stale |= input.IsLoopInvariant;
        return Layout.Locate(input, arena);
    }

    /// <inheritdoc/>
    public override Tensor Output(string name) => Locate(Find(Layout.Graph.Outputs, name, "output"));

    /// <inheritdoc/>
    public override Tensor Named(string path) => Locate(Find(Layout.Graph.Named, path, "layer"));

    /// <inheritdoc/>
    public override void Run(CancellationToken cancellation = default)
    {
        ObjectDisposedException.ThrowIf(returned, this);
        weights.RequireIntact();
        if (stale) Run(loopInvariant, cancellation);
        stale = false;
        if (records) Record();
        if (recording is null) Run(launches, cancellation);
        else
        {
            cancellation.ThrowIfCancellationRequested();
            recording.Run();
        }
    }

    private void Record()
    {
        records = false; // recording is tried only once
        var outdated = recording;
        recording = null;
        recording = owner.Device.Record(launches, outdated);
    }

    private static void Run(Launch[] launches, CancellationToken cancellation)
    {
        foreach (var launch in launches)
        {
            cancellation.ThrowIfCancellationRequested();
            launch.Run();
        }
    }

    /// <inheritdoc/>
    public override PlanReport Measure(int runs = 3, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(runs);
        Run(cancellation);
        double[][] profiles = [.. Enumerable.Range(0, runs).Select(_ => Profile(cancellation))];
        return PlanReport.Of(Layout).Measured([.. launches.Select((_, i) => profiles.Select(p => p[i]).Order().ElementAt(runs / 2))]);
    }

    /// <summary>
    /// Runs once, launch by launch, and returns the seconds of each step, by the device's own clock if it has one. Loop-invariant steps are
    /// run before and not counted.
    /// </summary>
    public double[] Profile(CancellationToken cancellation = default)
    {
        if (stale) Run(loopInvariant, cancellation);
        stale = false;
        using var timing = owner.Device.StartTiming();
        foreach (var launch in launches)
        {
            cancellation.ThrowIfCancellationRequested();
            launch.Run();
            timing.Mark();
        }

        return timing.Read();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (returned) return;
        returned = true;
        weights.Dispose();
        context.Return(this);
    }

    /// <summary>Rents the plan out again; other plans may have used its memory meanwhile. False if its weights have moved.</summary>
    public bool TryReopen()
    {
        if (!weights.TryReopen()) return false;
        (returned, stale) = (false, true);
        return true;
    }

    private Tensor Locate(Value value, bool kernelPositionsFirst = false, CancellationToken cancellation = default) =>
        value.Parameter is not { } weight ? Layout.Locate(value, arena)
        : weight.Constant is { } constant ? owner.Arenas.Keep(constant)
        : weights.Get(weight, kernelPositionsFirst, cancellation);

    private Launch Bind(PlanStep step, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Tensor[] inputs = [.. step.Node.Inputs.Select((value, i) =>
            Locate(value, i == 1 && step.Signature.KernelPositionsFirst, cancellation))];
        return step.Kernel.Bind(new OpCall(owner.Device, step.Signature.Op, inputs, Layout.Locate(step.Node.Output, arena),
            PlanLayout.ScratchOf(step, arena))
        {
            Packed = step.Signature.KeepsPacked ? owner.Arenas.PackedWeights : null,
            PacksTransforms = Layout.PrepacksTransforms,
            KernelPositionsFirst = step.Signature.KernelPositionsFirst,
            Cancellation = cancellation,
        });
    }

    private Value Find(IReadOnlyDictionary<string, Value> values, string name, string kind) =>
        values.TryGetValue(name, out var value) ? value
            : throw new ArgumentException(
                $"{Layout.Graph.Name} has no {kind} '{name}'; there are {string.Join(", ", values.Keys.Take(20))}.");
}
