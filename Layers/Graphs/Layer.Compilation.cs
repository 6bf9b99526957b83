using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

public abstract partial class Layer
{
    private readonly Lock gate = new();
    private CompileOptions? options;
    private bool? fusedQkv;
    private Float32Precision? float32Precision;
    private int version;

    /// <summary>
    /// Classes of layers that occur many times in this model with different weights, so that one compilation is used for all; diffusers'
    /// <c>_repeated_blocks</c>.
    /// </summary>
    public virtual IReadOnlyList<string> RepeatedBlocks => [];

    /// <summary>
    /// Compiles this model when it is next used: passes rewrite its graph, see <see cref="CompileOptions"/>. Without this call it runs as
    /// recorded. If the model itself is not compiled, single layers can be: each separately, equal ones once.
    /// </summary>
    /// <param name="options">Options; null for all passes.</param>
    public void Compile(CompileOptions? options = null) => Change(() => this.options = options ?? new());

    /// <summary>
    /// As <see cref="Compile"/>, for the classes in <see cref="RepeatedBlocks"/> alone, each once per distinct signature; everything else
    /// runs as recorded.
    /// </summary>
    /// <param name="options">Options; null for all passes.</param>
    /// <exception cref="InvalidOperationException">The model lists no such classes.</exception>
    public void CompileRepeatedBlocks(CompileOptions? options = null)
    {
        if (RepeatedBlocks.Count == 0)
            throw new InvalidOperationException(
                $"{GetType().Name} lists no repeated blocks; {nameof(CompileRegions)} finds what is repeated, {nameof(Compile)} compiles "
                    + "all.");
        Compile((options ?? new()) with { Scope = CompileScope.Blocks });
    }

    /// <summary>As <see cref="Compile"/>, part by part: repeated parts are detected and compiled once, the rest separately.</summary>
    /// <param name="options">Options; null for all passes.</param>
    public void CompileRegions(CompileOptions? options = null) => Compile((options ?? new()) with { Scope = CompileScope.Regions });

    /// <summary>
    /// Whether this layer, or one below, has an attention whose projections <see cref="FuseQkvProjections"/> can fuse. Layers of an
    /// application that pass results of <c>Linear</c> layers to <see cref="Functional.Attention"/> themselves override it with true.
    /// </summary>
    public virtual bool CanFuseQkvProjections => children.Any(child => child.CanFuseQkvProjections);

    /// <summary>
    /// Computes the projections of every attention that have one input as one op, whether the model is compiled or not: query, key and
    /// value of self-attention, key and value of cross-attention. Bits do not change.
    /// </summary>
    /// <exception cref="NotSupportedException">It has no attention that supports this.</exception>
    public void FuseQkvProjections()
    {
        if (!CanFuseQkvProjections)
            throw new NotSupportedException(
                $"{GetType().Name} has no attention whose query, key and value projections can be fused; leave it out.");
        Change(() => fusedQkv = true);
    }

    /// <summary>Computes the projections of every attention as separate ops, whether the model is compiled or not.</summary>
    public void UnfuseQkvProjections() => Change(() => fusedQkv = false);

    /// <summary>The options that apply: those set for this model, or else no passes.</summary>
    internal CompileOptions EffectiveOptions
    {
        get
        {
            lock (gate)
            {
                var chosen = (options ?? CompileOptions.Eager) with { Float32Precision = Precision };
                return fusedQkv is { } fused ? chosen with { ProjectionGrouping = fused, ColumnViews = chosen.ColumnViews || fused }
                    : chosen;
            }
        }
    }

    private Float32Precision Precision => float32Precision ?? parent?.Precision ?? Float32Precision.Highest;

    /// <summary>The options set for this layer alone; null if there are none.</summary>
    internal CompileOptions? OwnOptions => options;

    /// <summary>Whether it is compiled separately within a model.</summary>
    internal bool IsCompiledWithinModel => options is not null && parent is not null;

    /// <summary>Incremented when the options of this layer or of one below change, or when it records different ops.</summary>
    internal int CompileVersion => Volatile.Read(ref version);

    private void Change(Action change)
    {
        lock (gate) change();
        Changed();
    }

    /// <summary>Invalidates the graphs that this layer is part of, so that they are traced again.</summary>
    private protected void Changed()
    {
        for (var layer = this; layer is not null; layer = layer.parent) Interlocked.Increment(ref layer.version);
    }
}
