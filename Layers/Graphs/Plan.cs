using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// A compiled graph at given sizes with its memory, which can run any number of times without allocation or look-up. Rent one with
/// <see cref="CompiledGraph.Rent"/> and dispose it to return its memory. Not thread-safe.
/// </summary>
public abstract class Plan : IDisposable
{
    private protected Plan() { }

    /// <summary>Size of the memory shared by the plan's values, in bytes.</summary>
    public abstract long ArenaBytes { get; }

    /// <summary>Maximum of live bytes: a lower bound of the arena.</summary>
    public abstract long PeakLiveBytes { get; }

    /// <summary>Number of kernels launched per run.</summary>
    public abstract int LaunchCount { get; }

    /// <summary>Number of kernels launched additionally by the first run after a loop-invariant input changed.</summary>
    public abstract int LoopInvariantLaunchCount { get; }

    /// <summary>
    /// Memory of an input. Its contents stay until overwritten: runs do not change it. A loop-invariant input must be requested again each
    /// time before it is written: the request makes the next run recompute what depends on it.
    /// </summary>
    public abstract Tensor Input(string name);

    /// <summary>Memory of an output; valid after a run.</summary>
    public abstract Tensor Output(string name);

    /// <summary>A layer's result by its path; valid after a run of a plan that was rented with this path in <c>keep</c>.</summary>
    public abstract Tensor Named(string path);

    /// <summary>Computes the outputs from the inputs.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; outputs are then undefined.</exception>
    public abstract void Run(CancellationToken cancellation = default);

    /// <summary>The plan's report with the median time of every step, over some runs after a warm-up. Runs overwrite the outputs.</summary>
    /// <param name="runs">Number of timed runs.</param>
    /// <param name="cancellation">Checked between kernels.</param>
    /// <exception cref="NotSupportedException">The plan is not a single list of launches.</exception>
    public virtual PlanReport Measure(int runs = 3, CancellationToken cancellation = default) =>
        throw new NotSupportedException("This plan cannot be measured step by step.");

    /// <summary>Returns the memory for other plans.</summary>
    public abstract void Dispose();
}
