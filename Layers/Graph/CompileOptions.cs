namespace ILGpuDiffusion.Layers;

/// <summary>
/// Which passes a graph goes through before it runs. None changes results beyond rounding, and on the CPU none changes a bit. Everything is on unless
/// switched off. There is no switch for whole graphs or for dynamic sizes: a traced graph has no breaks, and any size only makes a plan.
/// </summary>
public sealed record CompileOptions
{
    /// <summary>No pass at all: every op as its layer recorded it. The baseline, and the oracle that compiled graphs are compared with.</summary>
    public static CompileOptions Eager { get; } = new()
    {
        CommonSubexpressions = false,
        NormActivation = false,
        Conv1x1AsMatMul = false,
        GateFusion = false,
        EpilogueFusion = false,
        ProjectionGrouping = false,
        ColumnViews = false,
        StepInvariants = false,
    };

    /// <summary>Computes equal ops of equal arguments once, such as the activation of the time embedding that every block asks for.</summary>
    public bool CommonSubexpressions { get; init; } = true;

    /// <summary>Applies the SiLU after a group normalisation where the normalisation writes its result.</summary>
    public bool NormActivation { get; init; } = true;

    /// <summary>Treats a convolution that looks at one pixel alone as a product. Inductor's <c>conv_1x1_as_mm</c>.</summary>
    public bool Conv1x1AsMatMul { get; init; } = true;

    /// <summary>Computes a gated linear unit together with its projection, so that the doubly wide value between them needs no memory.</summary>
    public bool GateFusion { get; init; } = true;

    /// <summary>Adds time embeddings and residuals, and applies activations and factors, where products and convolutions write their results. Inductor's <c>epilogue_fusion</c>.</summary>
    public bool EpilogueFusion { get; init; } = true;

    /// <summary>Runs products of one argument as one step, side by side in one value: query, key and value of self-attention, and the blocks' time projections. Diffusers' <c>fuse_qkv_projections</c>. Needs <see cref="ColumnViews"/>.</summary>
    public bool ProjectionGrouping { get; init; } = true;

    /// <summary>Lets producers write straight into their part of a concatenation, and consumers read parts of a value where they lie. Applied to plans.</summary>
    public bool ColumnViews { get; init; } = true;

    /// <summary>Computes what depends only on steady inputs (<see cref="Graph.SteadyInput"/>) once per set of inputs and not in every run: keys and values of the prompt. Applied to plans.</summary>
    public bool StepInvariants { get; init; } = true;
}
