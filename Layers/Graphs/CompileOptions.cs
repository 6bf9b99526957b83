using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// How a graph is compiled; the options have the names of PyTorch's compiler options. None changes results beyond rounding, and on the CPU
/// only <see cref="UpsampleFolding"/> and tuning can change bits, when they lead to another kernel. Passes are on by default. An option
/// without effect on a device is accepted and listed in <see cref="CompileReport.Notes"/>.
/// </summary>
public sealed record CompileOptions
{
    /// <summary>No passes: every op runs as its layer recorded it. The baseline, and the reference for compiled graphs.</summary>
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

    /// <summary>
    /// Launch overhead and tuning. CUDA: <see cref="CompileMode.ReduceOverhead"/> and <see cref="CompileMode.MaxAutotune"/> replay a run as
    /// one CUDA graph. CPU and OpenCL: launches are a plain list in every mode.
    /// </summary>
    public CompileMode Mode { get; init; }

    /// <summary>The unit of compilation. Set by <c>CompileRepeatedBlocks</c> and <c>CompileRegions</c>.</summary>
    public CompileScope Scope { get; init; }

    /// <summary>
    /// Whether reading a value while tracing (<c>Functional.Item</c>) is an error that names layer and value. Otherwise the graph is split
    /// there, which is noted and makes every run wait for the device. The models of this library never read a value. The same on every
    /// device.
    /// </summary>
    public bool FullGraph { get; init; }

    /// <summary>
    /// Whether one compilation is used for all sizes. Null and true: sizes are symbols; a new size makes a plan and never compiles. False:
    /// each combination of sizes is compiled separately, with constant sizes, and the second one is noted. The same on every device.
    /// </summary>
    public bool? Dynamic { get; init; }

    /// <summary>
    /// Has no effect on any device; accepted for compatibility with PyTorch.
    /// Activations are channels-last (NHWC) on every device, and weights are repacked as kernels need them; <c>torch.channels_last</c>.
    /// There is no other layout: false has no effect, which is noted.
    /// </summary>
    public bool ChannelsLast { get; init; } = true;

    /// <summary>
    /// Tunes kernels by measuring, one parameter at a time, when a plan is made and no stored result fits. That takes seconds per op, is
    /// logged, and the results are kept for all later runs. Inductor's <c>coordinate_descent_tuning</c>.
    /// </summary>
    public bool CoordinateDescentTuning { get; init; }

    /// <summary>
    /// Also measures steps in several parameters at once. Requires <see cref="CoordinateDescentTuning"/>. Inductor's
    /// <c>coordinate_descent_check_all_directions</c>.
    /// </summary>
    public bool CoordinateDescentCheckAllDirections { get; init; }

    /// <summary>
    /// Has no effect on any device; accepted for compatibility with PyTorch.
    /// Scales the sums of int8 GEMMs in the epilogue, so that int32 sums are never stored. Inductor's <c>force_fuse_int_mm_with_mul</c>.
    /// The int8 GEMMs of all devices do this: false has no effect, which is noted.
    /// </summary>
    public bool ForceFuseIntMmWithMul { get; init; } = true;

    /// <summary>
    /// Has no effect on any device; accepted for compatibility with PyTorch.
    /// Widens weights stored in another type than the activations inside the GEMM, without a widened copy in memory. Inductor's
    /// <c>use_mixed_mm</c>. The GEMMs of all devices do this: false has no effect, which is noted.
    /// </summary>
    public bool UseMixedMm { get; init; } = true;

    /// <summary>Computes equal ops of equal arguments once, such as the activation of the time embedding that every block uses.</summary>
    public bool CommonSubexpressions { get; init; } = true;

    /// <summary>Applies a SiLU after a group normalisation in the normalisation's kernel.</summary>
    public bool NormActivation { get; init; } = true;

    /// <summary>
    /// Lets a convolution read the small image with upsampled coordinates instead of upsampling first: saves the memory and the traffic of
    /// four times as many pixels.
    /// </summary>
    public bool UpsampleFolding { get; init; } = true;

    /// <summary>Treats a pointwise convolution as a GEMM. Inductor's <c>conv_1x1_as_mm</c>.</summary>
    public bool Conv1x1AsMatMul { get; init; } = true;

    /// <summary>
    /// Computes a gated linear unit together with its projection, so that the value between them, twice as wide, is never stored.
    /// </summary>
    public bool GateFusion { get; init; } = true;

    /// <summary>
    /// Adds time embeddings and residuals, and applies activations and factors, in the epilogue of GEMMs and convolutions. Inductor's
    /// <c>epilogue_fusion</c>.
    /// </summary>
    public bool EpilogueFusion { get; init; } = true;

    /// <summary>
    /// Runs GEMMs of the same argument as one op with concatenated results: query, key and value of self-attention, and the blocks' time
    /// projections. Diffusers' <c>fuse_qkv_projections</c>. Requires <see cref="ColumnViews"/>.
    /// </summary>
    public bool ProjectionGrouping { get; init; } = true;

    /// <summary>Runs consecutive activations, scalings, clamps and sums as one kernel, generated for the chain at run time.</summary>
    public bool ElementwiseChains { get; init; } = true;

    /// <summary>Computes what depends only on weights and constants once, when a plan first needs it, and keeps it for all runs.</summary>
    public bool ConstantFolding { get; init; } = true;

    /// <summary>Removes ops whose results are not needed by an output or a named value.</summary>
    public bool DeadCode { get; init; } = true;

    /// <summary>
    /// Lets producers write directly into their part of a concatenation, and consumers read parts of a value in place. Applied to plans.
    /// </summary>
    public bool ColumnViews { get; init; } = true;

    /// <summary>
    /// Computes what depends only on loop-invariant inputs (<see cref="Graph.LoopInvariantInput"/>) once per set of inputs instead of in
    /// every run: keys and values of the prompt. Applied to plans.
    /// </summary>
    public bool LoopInvariants { get; init; } = true;

    /// <summary>Whether graphs run as recorded.</summary>
    public bool IsEager => !GraphPasses.Of(this).Any();

    /// <summary>
    /// Whether weights are packed once when a plan is made, and kept for all plans of the pipeline, instead of in every run. Null packs the
    /// GEMM weights of models of up to 16 Mi weights, which costs their size in float32 and saves 4 to 6 % of the CPU time of a step of the
    /// embedded model's UNet; larger models run long enough per weight to hide the packing, and memory matters more to them. True packs
    /// every model, including Winograd's transformed weights: four times the size in float32, and slower if they come from farther than the
    /// L2 cache (the embedded model's step takes 1.15 times as long). Bits do not change. Applied to plans, on the CPU and on OpenCL CPU
    /// devices. GPUs read matrices as they are stored; their copies of convolution filters are always in the order in which kernels read
    /// them, in place of the file's order, which costs no memory.
    /// </summary>
    public bool? PrepackWeights { get; init; }

    /// <summary>How GEMMs and convolutions multiply Float32 numbers; set by <see cref="Layer.To"/>.</summary>
    internal Float32Precision Float32Precision { get; init; }

    /// <summary>Whether plans are tuned.</summary>
    internal bool Tunes => CoordinateDescentTuning || Mode == CompileMode.MaxAutotune;
}
