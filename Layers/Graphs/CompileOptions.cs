namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// How a graph is made ready to run, under the names that PyTorch's compiler gives its switches. None changes results beyond rounding, and on the CPU
/// only <see cref="UpsampleFolding"/> and tuning may change a bit, where they lead to another kernel. Passes are on unless switched off. What a switch cannot do on the device at hand is accepted and stands in
/// <see cref="CompileReport.Notes"/>.
/// </summary>
public sealed record CompileOptions
{
    /// <summary>No pass at all: every op as its layer recorded it. The baseline, and the oracle that compiled graphs are compared with.</summary>
    public static CompileOptions Eager { get; } = new()
    {
        CommonSubexpressions = false,
        NormActivation = false,
        UpsampleFolding = false,
        Conv1x1AsMatMul = false,
        GateFusion = false,
        EpilogueFusion = false,
        ProjectionGrouping = false,
        ElementwiseChains = false,
        ConstantFolding = false,
        DeadCode = false,
        ColumnViews = false,
        LoopInvariants = false,
        PrepackWeights = false,
    };

    /// <summary>Launch overhead and tuning. CUDA: <see cref="CompileMode.ReduceOverhead"/> and <see cref="CompileMode.MaxAutotune"/> replay a run as one CUDA graph. CPU and OpenCL: launches are a plain list in every mode.</summary>
    public CompileMode Mode { get; init; }

    /// <summary>How much is compiled at a time. Set by <c>CompileRepeatedBlocks</c> and <c>CompileRegions</c>.</summary>
    public CompileScope Scope { get; init; }

    /// <summary>
    /// Whether reading a value while tracing (<c>Functional.Item</c>) is an error that names layer and value. Otherwise the graph is split there,
    /// on every device, which is noted and costs a wait for the device in every run. The models of this library have no such place.
    /// </summary>
    public bool FullGraph { get; init; }

    /// <summary>
    /// Whether one compilation serves all sizes. Null and true: sizes are symbols, a new size makes a plan and never compiles. False: each combination of
    /// sizes is compiled for itself, with every size a number, and the second one is noted. The same on every device.
    /// </summary>
    public bool? Dynamic { get; init; }

    /// <summary>
    /// Activations lie channels-last (NHWC) on every device, weights are repacked as kernels want them; <c>torch.channels_last</c>. There is no other
    /// layout here: false changes nothing and is noted.
    /// </summary>
    public bool ChannelsLast { get; init; } = true;

    /// <summary>
    /// Chooses kernels' tiles by measuring, one parameter at a time, when a plan is made and no stored result fits. That takes seconds per op,
    /// is logged, and is kept for all later runs. Inductor's <c>coordinate_descent_tuning</c>.
    /// </summary>
    public bool CoordinateDescentTuning { get; init; }

    /// <summary>Also measures steps in several parameters at once. Needs <see cref="CoordinateDescentTuning"/>. Inductor's <c>coordinate_descent_check_all_directions</c>.</summary>
    public bool CoordinateDescentCheckAllDirections { get; init; }

    /// <summary>
    /// Multiplies int8 products by their scales where they are summed, so that int32 sums never reach memory. Inductor's <c>force_fuse_int_mm_with_mul</c>.
    /// The int8 product of every device is written this way: false changes nothing and is noted.
    /// </summary>
    public bool ForceFuseIntMmWithMul { get; init; } = true;

    /// <summary>
    /// Widens weights stored in another type than the activations inside the product, with no widened copy in memory. Inductor's <c>use_mixed_mm</c>. The
    /// products of every device are written this way: false changes nothing and is noted.
    /// </summary>
    public bool UseMixedMm { get; init; } = true;

    /// <summary>Computes equal ops of equal arguments once, such as the activation of the time embedding that every block asks for.</summary>
    public bool CommonSubexpressions { get; init; } = true;

    /// <summary>Applies the SiLU after a group normalisation where the normalisation writes its result.</summary>
    public bool NormActivation { get; init; } = true;

    /// <summary>Lets a convolution look its pixels up in the small image instead of enlarging that before: saves the memory and the traffic of four times as many pixels.</summary>
    public bool UpsampleFolding { get; init; } = true;

    /// <summary>Treats a convolution that looks at one pixel alone as a product. Inductor's <c>conv_1x1_as_mm</c>.</summary>
    public bool Conv1x1AsMatMul { get; init; } = true;

    /// <summary>Computes a gated linear unit together with its projection, so that the doubly wide value between them needs no memory.</summary>
    public bool GateFusion { get; init; } = true;

    /// <summary>Adds time embeddings and residuals, and applies activations and factors, where products and convolutions write their results. Inductor's <c>epilogue_fusion</c>.</summary>
    public bool EpilogueFusion { get; init; } = true;

    /// <summary>Runs products of one argument as one step, side by side in one value: query, key and value of self-attention, and the blocks' time projections. Diffusers' <c>fuse_qkv_projections</c>. Needs <see cref="ColumnViews"/>.</summary>
    public bool ProjectionGrouping { get; init; } = true;

    /// <summary>Runs activations, factors, limits and sums that follow each other as one kernel, made for the chain at run time.</summary>
    public bool ElementwiseChains { get; init; } = true;

    /// <summary>Computes what depends on weights and constants alone once for all runs, when a plan first needs it, and keeps it.</summary>
    public bool ConstantFolding { get; init; } = true;

    /// <summary>Forgets ops whose results nothing needs: no output and no named value.</summary>
    public bool DeadCode { get; init; } = true;

    /// <summary>Lets producers write straight into their part of a concatenation, and consumers read parts of a value where they lie. Applied to plans.</summary>
    public bool ColumnViews { get; init; } = true;

    /// <summary>Computes what depends only on loopInvariant inputs (<see cref="Graph.LoopInvariantInput"/>) once per set of inputs and not in every run: keys and values of the prompt. Applied to plans.</summary>
    public bool LoopInvariants { get; init; } = true;

    /// <summary>Whether graphs run as they were recorded.</summary>
    public bool IsEager => !GraphPasses.Of(this).Any();

    /// <summary>
    /// Whether weights are packed once when a plan is made, and kept so for all plans of the pipeline, instead of anew in every run. Null packs the products
    /// of models of up to 16 Mi weights, which costs their size in float32 and saves 4 to 6 % of the processor time of a step of the embedded model's UNet; larger models run long enough
    /// per weight to hide the packing, and memory is worth more to them. True packs every model, Winograd's transformed weights too: four times the size in
    /// float32, and slower wherever they come from farther than the L2 cache (the embedded model's step takes 1.15 times as long). Bits do not change.
    /// Applied to plans, on the CPU and on processors behind OpenCL. A GPU reads matrices as they are stored; a convolution's filters it gets in the order in which it reads them, always, in place of the
    /// file's: that costs no memory.
    /// </summary>
    public bool? PrepackWeights { get; init; }

    /// <summary>Whether plans are tuned by measuring.</summary>
    internal bool Tunes => CoordinateDescentTuning || Mode == CompileMode.MaxAutotune;
}
