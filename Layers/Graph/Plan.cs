using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Layers;

/// <summary>
/// A compiled graph at given sizes with memory of its own, ready to run any number of times: running allocates nothing and looks nothing up.
/// Rent one from <see cref="CompiledGraph.Rent"/>, dispose it to give its memory back. One thread at a time may use it.
/// </summary>
public sealed class Plan : IDisposable
{
    private readonly CompiledGraph owner;
    private readonly DeviceBuffer arena;
    private readonly Launch[] prologue, launches;
    private bool returned, stale = true;

    internal Plan(CompiledGraph owner, PlanLayout layout, DeviceBuffer arena)
    {
        (this.owner, Layout, this.arena) = (owner, layout, arena);
        (prologue, launches) = ([.. layout.PrologueSteps.Select(Bind)], [.. layout.Steps.Select(Bind)]);
    }

    /// <summary>Bytes of memory that the plan's values share.</summary>
    public long ArenaBytes => Layout.ArenaBytes;

    /// <summary>The most bytes that are alive at once: no arena could be smaller.</summary>
    public long PeakLiveBytes => Layout.PeakLiveBytes;

    /// <summary>Number of kernels that every run launches.</summary>
    public int LaunchCount => launches.Length;

    /// <summary>Number of kernels that the first run after a steady input changed launches before.</summary>
    public int PrologueLaunchCount => prologue.Length;

    internal PlanLayout Layout { get; }

    internal DeviceBuffer Arena => arena;

    /// <summary>
    /// Memory of an input. What is written there stays until it is overwritten: runs do not change it. A steady input must be asked for each
    /// time before it is written: that tells the next run to compute again what depends on it.
    /// </summary>
    public Tensor Input(string name)
    {
        var input = Find(owner.Graph.Inputs, name, "input");
        stale |= input.IsSteady;
        return Layout.Locate(input, arena);
    }

    /// <summary>Memory of an output; valid after a run.</summary>
    public Tensor Output(string name) => Layout.Locate(Find(owner.Graph.Outputs, name, "output"), arena);

    /// <summary>A layer's result by its path; valid after a run of a plan that was rented with this name in <c>keep</c>.</summary>
    public Tensor Named(string path) => Layout.Locate(Find(owner.Graph.Named, path, "layer"), arena);

    /// <summary>Computes the outputs from the inputs.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; outputs are then undefined.</exception>
    public void Run(CancellationToken cancellation = default)
    {
        ObjectDisposedException.ThrowIf(returned, this);
        if (stale) Run(prologue, cancellation);
        stale = false;
        Run(launches, cancellation);
    }

    private static void Run(Launch[] launches, CancellationToken cancellation)
    {
        foreach (var launch in launches)
        {
            cancellation.ThrowIfCancellationRequested();
            launch.Run();
        }
    }

    /// <summary>Gives the memory back for other plans.</summary>
    public void Dispose()
    {
        if (returned) return;
        returned = true;
        owner.Return(this);
    }

    /// <summary>Hands the plan out again; other plans may have used its memory meanwhile.</summary>
    internal void Reopen() => (returned, stale) = (false, true);

    private Launch Bind(PlanStep step)
    {
        Tensor[] inputs = [.. step.Node.Inputs.Select(i => Layout.Locate(i, arena))];
        var scratch = step.Scratch is { } s ? new Tensor(arena, s.Offset, DType.Int8, [checked((int)s.Bytes)]) : null;
        return step.Kernel.Bind(new OpCall(owner.Device, step.Node.Op, inputs, Layout.Locate(step.Node.Output, arena), scratch));
    }

    private Value Find(IReadOnlyDictionary<string, Value> values, string name, string kind) =>
        values.TryGetValue(name, out var value) ? value : throw new ArgumentException($"{owner.Graph.Name} has no {kind} '{name}'; there are {string.Join(", ", values.Keys.Take(20))}.");
}
