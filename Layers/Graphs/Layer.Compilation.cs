namespace ILGpuDiffusion.Layers.Graphs;

public abstract partial class Layer
{
    private readonly Lock gate = new();
    private CompileOptions? options;
    private bool? fusedQkv;
    private int version;

    /// <summary>Classes of layers that occur many times in this model with different weights, so that compiling one compiles all; diffusers' <c>_repeated_blocks</c>.</summary>
    public virtual IReadOnlyList<string> RepeatedBlocks => [];

    /// <summary>
    /// Lets this model be compiled when it is next used: passes rewrite its graph, see <see cref="CompileOptions"/>. A layer that was never told runs as
    /// it was recorded. Of a model that was never told, single layers may be compiled: each by itself, equal ones once.
    /// </summary>
    /// <param name="options">How; null for all passes.</param>
    public void Compile(CompileOptions? options = null) => Change(() => this.options = options ?? new());

    /// <summary>As <see cref="Compile"/>, for the classes in <see cref="RepeatedBlocks"/> alone, each once per distinct signature; everything else runs as recorded.</summary>
    /// <param name="options">How; null for all passes.</param>
    /// <exception cref="InvalidOperationException">The model lists no such classes.</exception>
    public void CompileRepeatedBlocks(CompileOptions? options = null)
    {
        if (RepeatedBlocks.Count == 0) throw new InvalidOperationException($"{GetType().Name} lists no repeated blocks; {nameof(CompileRegions)} finds what is repeated, {nameof(Compile)} compiles all.");
        Compile((options ?? new()) with { Scope = CompileScope.Blocks });
    }

    /// <summary>As <see cref="Compile"/>, part by part: what is repeated is found and compiled once, the rest by itself.</summary>
    /// <param name="options">How; null for all passes.</param>
    public void CompileRegions(CompileOptions? options = null) => Compile((options ?? new()) with { Scope = CompileScope.Regions });

    /// <summary>Computes the query, key and value of every attention as one product, whether the model is compiled or not. Bits do not change.</summary>
    public void FuseQkvProjections() => Change(() => fusedQkv = true);

    /// <summary>Computes query, key and value as three products, whether the model is compiled or not.</summary>
    public void UnfuseQkvProjections() => Change(() => fusedQkv = false);

    /// <summary>How the model is to run: as it was told, or else without any pass.</summary>
    internal CompileOptions EffectiveOptions
    {
        get
        {
            lock (gate)
            {
                var chosen = options ?? CompileOptions.Eager;
                return fusedQkv is { } fused ? chosen with { ProjectionGrouping = fused, ColumnViews = chosen.ColumnViews || fused } : chosen;
            }
        }
    }

    /// <summary>How this layer alone was told to be compiled; null if it was not.</summary>
    internal CompileOptions? OwnOptions => options;

    /// <summary>Whether it was told to compile and is not the model itself.</summary>
    internal bool IsCompiledWithinModel => options is not null && parent is not null;

    /// <summary>Grows whenever this layer or one below was told how to run, or records something else than before.</summary>
    internal int CompileVersion => Volatile.Read(ref version);

    private void Change(Action change)
    {
        lock (gate) change();
        Changed();
    }

    /// <summary>Lets the graphs that this layer is part of be traced anew.</summary>
    private void Changed()
    {
        for (var layer = this; layer is not null; layer = layer.parent) Interlocked.Increment(ref layer.version);
    }
}
