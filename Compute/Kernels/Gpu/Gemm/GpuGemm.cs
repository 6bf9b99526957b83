using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>One GEMM for GPU kernels: operands, epilogue arguments, and the im2col geometry of a convolution.</summary>
/// <param name="X">Left operand: rows, or an image.</param>
/// <param name="W">Right operand, [n, k] or [n, ci, kh, kw].</param>
/// <param name="Bias">Per column, or null.</param>
/// <param name="Y">The result.</param>
/// <param name="Epilogue">Applied to the result.</param>
/// <param name="BatchBias">The epilogue's e.</param>
/// <param name="Residual">The epilogue's r.</param>
/// <param name="Image">The im2col geometry of a convolution; null for plain rows.</param>
/// <param name="Gated">Whether the weight has two rows per result column: the value's and, N rows further on, the gate's.</param>
internal sealed record GpuGemm(Tensor X, Tensor W, Tensor? Bias, Tensor Y, Epilogue Epilogue = default, Tensor? BatchBias = null,
    Tensor? Residual = null, GpuImage? Image = null, bool Gated = false)
{
    /// <summary>Tuning settings of the kernels.</summary>
    public KernelSettings Settings { get; init; } = KernelSettings.Default;

    /// <summary>Packed weights to share; null to pack them in every run.</summary>
    public PackedWeights? Packed { get; init; }

    /// <summary>Whether filters are already stored as [co, kernel positions, ci].</summary>
    public bool KernelPositionsFirst { get; init; }

    /// <summary>Cancels packing of the weights, whose kernel may have to be compiled.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Rows of the result.</summary>
    public int Rows => Y.Rows;

    /// <summary>Columns of the result.</summary>
    public int Columns => Y.Width;

    /// <summary>Channels: elements of one kernel position.</summary>
    public int Depth => X.Width;

    /// <summary>Kernel positions of the filter.</summary>
    public int KernelPositions => Image?.KernelPositions ?? 1;

    /// <summary>Rows of the right operand.</summary>
    public int WeightRows => Gated ? 2 * Columns : Columns;

    /// <summary>The right operand as a matrix, whatever the filters' shape.</summary>
    public Tensor Weights => new(W.Buffer, W.Offset, W.DType, [WeightRows, Depth * KernelPositions]);

    /// <summary>The GEMM of an op's arguments, epilogue arguments last.</summary>
    public static GpuGemm Of(OpCall plain, OpCall call, Epilogue epilogue, GpuImage? image = null) => new(
        plain.Inputs[0], plain.Inputs[1], plain.Inputs.Length > 2 ? plain.Inputs[2] : null, call.Output, epilogue,
        epilogue.BatchBias ? call.Inputs[^epilogue.Arguments] : null, epilogue.Residual ? call.Inputs[^1] : null, image)
    {
        Settings = call.Settings,
        Packed = call.Packed,
        KernelPositionsFirst = call.KernelPositionsFirst,
        Cancellation = call.Cancellation,
    };

    /// <summary>Type arguments for the result and, if requested, weight, bias and activation.</summary>
    public Type[] Types(bool weight, bool activation, bool bias = true)
    {
        Type[] elements = [.. GpuElements.Of(X.DType), .. weight ? GpuElements.Of(W.DType) : [],
            .. bias ? GpuElements.Of(Bias?.DType ?? DType.Float32) : []];
        return activation ? [.. elements, Activations.Of(Epilogue.Activation)] : elements;
    }

    /// <summary>The views of bias, epilogue and result.</summary>
    public GpuArguments ResultViews(GpuArguments arguments) => arguments
        .View("bias", Bias).View("batchBias", BatchBias).View("residual", Residual).View("y", Y);

    /// <summary>The numbers of the epilogue and the result.</summary>
    public GpuArguments ResultNumbers(GpuArguments arguments) => arguments
        .Int("terms", Terms).Int("rowsPerEntry", BatchBias is { Rows: > 1 } e ? Rows / e.Rows : Rows)
        .Int("batchBiasPitch", BatchBias?.RowPitch ?? 0).Int("residualPitch", Residual?.RowPitch ?? 0).Int("yPitch", Y.RowPitch)
        .Float("scale", (float)(Epilogue.Scale ?? 1));

    /// <summary>The arguments of kernels that read both operands themselves: views, sizes, epilogue.</summary>
    public GpuArguments Operands(Tensor w) => ResultNumbers(Sizes(ResultViews(new GpuArguments().View("x", X).View("w", w))));

    /// <summary>The sizes of a GEMM whose left operand is read as it is stored.</summary>
    /// <param name="arguments">The arguments so far.</param>
    /// <param name="words">Words that the kernel reads per element of x and w.</param>
    public GpuArguments Sizes(GpuArguments arguments, int words = 1) =>
        arguments.Int("rows", Rows).Int("columns", Columns).Int("depth", words * Depth).Int("xPitch", words * X.RowPitch);

    /// <summary>The terms that the epilogue has, as bits.</summary>
    public int Terms =>
        (Bias is null ? 0 : EpilogueTerms.Bias) | (BatchBias is null ? 0 : EpilogueTerms.BatchBias)
            | (Residual is null ? 0 : EpilogueTerms.Residual);
}

/// <summary>The im2col geometry of a convolution: the numbers of <see cref="ImageRows"/>.</summary>
internal sealed record GpuImage(int KernelPositions, int Height, int Width, int SeenHeight, int SeenWidth, int ResultHeight,
    int ResultWidth, int FilterWidth, int Stride, int Padding)
{
    /// <summary>The arguments of kernels that read an image.</summary>
    public GpuArguments Numbers(GpuArguments arguments) => arguments
        .Int("positions", KernelPositions).Int("height", Height).Int("width", Width)
        .Int("seenHeight", SeenHeight).Int("seenWidth", SeenWidth).Int("resultHeight", ResultHeight).Int("resultWidth", ResultWidth)
        .Int("filterWidth", FilterWidth).Int("stride", Stride).Int("padding", Padding)
        .Float("rowRatio", (float)Height / SeenHeight).Float("columnRatio", (float)Width / SeenWidth);
}
