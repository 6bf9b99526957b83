using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// A compiled graph at given sizes with memory of its own, ready to run any number of times: running allocates nothing and looks nothing up.
/// Rent one from <see cref="CompiledGraph.Rent"/>, dispose it to give its memory back. One thread at a time may use it.
/// </summary>
public abstract class Plan : IDisposable
{
    private protected Plan() { }

    /// <summary>Bytes of memory that the plan's values share.</summary>
    public abstract long ArenaBytes { get; }

    /// <summary>The most bytes that are alive at once: no arena could be smaller.</summary>
    public abstract long PeakLiveBytes { get; }

    /// <summary>Number of kernels that every run launches.</summary>
    public abstract int LaunchCount { get; }

    /// <summary>Number of kernels that the first run after a loopInvariant input changed launches before.</summary>
    public abstract int LoopInvariantLaunchCount { get; }

    /// <summary>
    /// Memory of an input. What is written there stays until it is overwritten: runs do not change it. A loopInvariant input must be asked for each
    /// time before it is written: that tells the next run to compute again what depends on it.
    /// </summary>
    public abstract Tensor Input(string name);

    /// <summary>Memory of an output; valid after a run.</summary>
    public abstract Tensor Output(string name);

    /// <summary>A layer's result by its path; valid after a run of a plan that was rented with this name in <c>keep</c>.</summary>
    public abstract Tensor Named(string path);

    /// <summary>Computes the outputs from the inputs.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; outputs are then undefined.</exception>
    public abstract void Run(CancellationToken cancellation = default);

    /// <summary>What the plan does, with the median time of every step over some runs after one that does not count. Runs overwrite the outputs.</summary>
    /// <param name="runs">How many runs are timed.</param>
    /// <param name="cancellation">Obeyed between kernels.</param>
    /// <exception cref="NotSupportedException">The plan is not one list of launches.</exception>
    public virtual PlanReport Measure(int runs = 3, CancellationToken cancellation = default) => throw new NotSupportedException("This plan cannot be measured step by step.");

    /// <summary>Gives the memory back for other plans.</summary>
    public abstract void Dispose();
}
