using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Attention as its definition, in float32, one head after the other: the GEMM kernels of <see cref="MatMul"/> for q·kᵀ and for the
/// product with v, and a softmax over whole rows of scores in between.
/// </summary>
internal sealed class MathAttention(Device device) : Kernel
{
    /// <summary>Most scratch memory: it is a tensor, whose size is an int, and the GEMMs need some too.</summary>
    public const long MostBytes = int.MaxValue / 4 * 3L;

    /// <summary>For the CPU.</summary>
    public static KernelVariant Cpu { get; } = new("cpu/math", Backends.Cpu, (device, _) => new MathAttention(device))
    {
        SupportsTypes = signature => signature.Inputs[0].DType == DType.Float32,
        SupportsShape = Fits,
    };

    /// <summary>For any GPU.</summary>
    public static KernelVariant Gpu { get; } =
        new("gpu/math", Backends.Cuda | Backends.OpenCL, (device, _) => new MathAttention(device)) { SupportsShape = Fits };

    /// <inheritdoc/>
    public override long ScratchBytes(OpSignature signature)
    {
        var shape = MathShape.Of(signature);
        return shape.Bytes + GemmBytes(shape);
    }

    /// <inheritdoc/>
    public override void Prepare(OpCall call)
    {
        foreach (var stage in Stages(call, firstHeadOnly: true)) stage.Prepare();
    }

    /// <inheritdoc/>
    public override Launch Bind(OpCall call) => new SequenceLaunch([.. Stages(call, firstHeadOnly: false).Select(stage => stage.Bind())]);

    private static bool Fits(OpSignature signature) => MathShape.Of(signature).Bytes <= MostBytes;

    private static IEnumerable<IMathStage> Stages(OpCall call, bool firstHeadOnly)
    {
        var shape = MathShape.Of(call);
        var sizes = new AttentionSizes(call);
        var scratch = new MathScratch(call.Scratch!, shape);
        bool widens = sizes.Q.DType != DType.Float32;
        for (int pair = 0; pair < (firstHeadOnly ? Math.Min(1, shape.Pairs) : shape.Pairs); pair++)
        {
            int entry = pair / sizes.Heads, head = pair % sizes.Heads;
            Tensor q = Head(sizes.Q, entry, head, sizes.Heads), v = Head(sizes.V, entry, head, sizes.Heads),
                y = Head(call.Output, entry, head, sizes.Heads);
            if (widens) yield return Run(new Cast(DType.Float32), q, scratch.Queries);
            yield return Run(new Cast(DType.Float32), Head(sizes.K, entry, head, sizes.Heads), scratch.Keys); // weights have no gaps
            if (widens) yield return Run(new Cast(DType.Float32), v, scratch.Values);
            yield return Run(new NhwcToNchw(), AsLine(widens ? scratch.Values : v),
                scratch.Columns.Reshape([1, shape.ValueDepth, 1, shape.Keys]));
            yield return Gemm(widens ? scratch.Queries : q, scratch.Keys, scratch.Scores);
            yield return new MathSoftmax(call, sizes, scratch.Scores, entry, head);
            yield return Gemm(scratch.Scores, scratch.Columns, widens ? scratch.Results : y);
            if (widens) yield return Run(new Cast(y.DType), scratch.Results, y);
        }

        OpStage Run(Op op, Tensor x, Tensor result) => new(call, op, [x], result, null);

        OpStage Gemm(Tensor x, Tensor weight, Tensor result) => new(call, new MatMul(), [x, weight], result, scratch.Gemm);
    }

    private static Tensor Head(Tensor tensor, int entry, int head, int heads)
    {
        int width = tensor.Width / heads;
        return tensor.Slice(entry, 1).Columns(head * width, width).Reshape([tensor.Rows / tensor.Shape[0], width]);
    }

    /// <summary>Rows as the pixels of an image of one line.</summary>
    private static Tensor AsLine(Tensor rows) => rows.Reshape([1, 1, rows.Rows, rows.Width]);

    private long GemmBytes(MathShape shape) =>
        Math.Max(Bytes(shape.Queries, shape.Depth, shape.Keys), Bytes(shape.Queries, shape.Keys, shape.ValueDepth));

    private long Bytes(int rows, int depth, int columns)
    {
        var signature = OpStage.Signature(new MatMul(), new TensorType(DType.Float32, [rows, depth]),
            new TensorType(DType.Float32, [columns, depth]));
        return device.Kernels.Get(signature).ScratchBytes(signature);
    }
}

/// <summary>A launch of <see cref="MathAttention"/>.</summary>
internal interface IMathStage
{
    /// <summary>Starts compiling its kernel.</summary>
    void Prepare();

    /// <summary>Binds it.</summary>
    Launch Bind();
}

/// <summary>Another op's kernel, chosen as for a call of that op alone.</summary>
internal sealed class OpStage : IMathStage
{
    private readonly Kernel kernel;
    private readonly OpCall call;

    public OpStage(OpCall attention, Op op, Tensor[] inputs, Tensor output, Tensor? scratch)
    {
        var signature = Signature(op, [.. inputs.Select(i => i.Type)]);
        var choice = attention.Device.Kernels.Choose(signature);
        kernel = attention.Device.Kernels.Get(signature, choice);
        call = new OpCall(attention.Device, op, inputs, output, kernel.ScratchBytes(signature) > 0 ? scratch : null)
        {
            Cancellation = attention.Cancellation,
        };
    }

    public static OpSignature Signature(Op op, params TensorType[] inputs) => new(op, inputs, op.Infer(inputs));

    public void Prepare() => kernel.Prepare(call);

    public Launch Bind() => kernel.Bind(call);
}
