using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using Tensor = TorchSharp.torch.Tensor;

namespace ILGpuDiffusion.Peers;

/// <summary>
/// Our ops as users of libtorch write them: one eager call each, or the few that PyTorch needs for it. Values of four sizes are images
/// [n, c, h, w].
/// </summary>
internal static class TorchOps
{
    private static readonly int[] ImageAxes = [0, 2, 3, 1]; // where n, h, w, c are

    /// <summary>Applies an op to its arguments; the result is the caller's, values on the way to it are freed.</summary>
    /// <exception cref="NotSupportedException">No model that is compared here needs the op.</exception>
    public static Tensor Apply(Op op, Tensor[] x)
    {
        using var scope = NewDisposeScope();
        return Call(op, x).DetachFromDisposeScope();
    }

    private static Tensor Call(Op op, Tensor[] x) => op switch
    {
        MatMul { Epilogue.IsNone: true } => Rows(x[0], rows => functional.linear(rows, Matrix(x[1]), x.ElementAtOrDefault(2))),
        Conv2D { Epilogue.IsNone: true } conv => Convolution(conv, x),
        ScaledDotProductAttention attention => Attention(attention, x),
        GroupNormalization norm => GroupNorm(norm, x),
        LayerNormalization norm =>
            Rows(x[0], rows => functional.layer_norm(rows, [rows.size(-1)], x.ElementAtOrDefault(1), x.ElementAtOrDefault(2),
                norm.Epsilon)),
        Unary unary => Activation(unary.Function, x[0]),
        Binary binary => Combine(binary.Function, x[0], Broadcast(x[1], x[0])),
        Affine affine => x[0] * affine.Scale + affine.Offset,
        GeGlu => Rows(x[0], rows => rows.chunk(2, -1) is var halves ? halves[0] * functional.gelu(halves[1]) : rows),
        Concat concat => cat(x, Axis(concat.Axis, x[0])),
        Slice slice => x[0].narrow(Axis(slice.Axis, x[0]), slice.Start, slice.Length),
        Chunk chunk => x[0].chunk(chunk.Count, Axis(chunk.Axis, x[0]))[chunk.Index],
        Upsample { Interpolation: Interpolation.Nearest } =>
            functional.interpolate(x[0], [x.Length > 1 ? x[1].size(2) : 2 * x[0].size(2), x.Length > 1 ? x[1].size(3) : 2 * x[0].size(3)],
                mode: InterpolationMode.Nearest),
        SinusoidalEmbedding embedding => Timesteps(embedding, x[0]),
        EmbeddingLookup => x[0].index_select(0, x[1].flatten()).view([.. x[1].shape, x[0].size(1)]),
        SelectToken => x[0][arange(x[0].size(0)), x[1]],
        _ => throw new NotSupportedException($"{op} has no counterpart in libtorch here."),
    };

    /// <summary>Applies something that works on the innermost size: an image's channels.</summary>
    private static Tensor Rows(Tensor x, Func<Tensor, Tensor> body) =>
        x.dim() == 4 ? body(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2) : body(x);

    private static Tensor Matrix(Tensor weight) => weight.dim() == 4 ? weight.flatten(1) : weight;

    private static Tensor Convolution(Conv2D conv, Tensor[] x)
    {
        int extra = conv.PaddingAfter - conv.PaddingBefore;
        var padded = extra == 0 ? x[0] : functional.pad(x[0], [0, extra, 0, extra]);
        return functional.conv2d(padded, x[1], x.ElementAtOrDefault(2), strides: [conv.Stride, conv.Stride],
            padding: [conv.PaddingBefore, conv.PaddingBefore]);
    }

    private static Tensor Attention(ScaledDotProductAttention op, Tensor[] x)
    {
        Tensor Heads(Tensor t)
        {
            var tokens = t.dim() == 4 ? t.permute(0, 2, 3, 1).flatten(1, 2) : t;
            return tokens.view(tokens.size(0), tokens.size(1), op.Heads, tokens.size(2) / op.Heads).transpose(1, 2);
        }

        var q = Heads(x[0]);
        if (op.Scale is { } scale) q = q * (scale * Math.Sqrt(q.size(-1)));
        var result = functional.scaled_dot_product_attention(q, Heads(x[1]), Heads(x[2]), x.ElementAtOrDefault(3), 0, op.Causal)
            .transpose(1, 2).flatten(2);
        return x[0].dim() == 4 ? result.view(x[0].size(0), x[0].size(2), x[0].size(3), -1).permute(0, 3, 1, 2) : result;
    }

    private static Tensor GroupNorm(GroupNormalization norm, Tensor[] x)
    {
        var image = x[0].dim() == 4 ? x[0] : x[0].transpose(1, 2);
        var y = functional.group_norm(image, norm.Groups, x[1], x[2], norm.Epsilon);
        if (norm.Silu) y = functional.silu(y);
        return x[0].dim() == 4 ? y : y.transpose(1, 2);
    }

    private static Tensor Activation(UnaryFunction function, Tensor x) => function switch
    {
        UnaryFunction.Silu => functional.silu(x),
        UnaryFunction.Gelu => functional.gelu(x),
        UnaryFunction.QuickGelu => x * sigmoid(1.702 * x),
        UnaryFunction.Relu => functional.relu(x),
        UnaryFunction.Tanh => tanh(x),
        UnaryFunction.Sigmoid => sigmoid(x),
        _ => throw new NotSupportedException($"{function} has no counterpart in libtorch here."),
    };

    private static Tensor Combine(BinaryFunction function, Tensor a, Tensor b) => function switch
    {
        BinaryFunction.Add => a + b,
        BinaryFunction.Subtract => a - b,
        BinaryFunction.Multiply => a * b,
        _ => a / b,
    };

    /// <summary>Sizes count from the innermost, which is an image's channels.</summary>
    private static Tensor Broadcast(Tensor b, Tensor a)
    {
        if (a.dim() != 4 || b.dim() is 4 or 0) return b;
        long[] sizes = [.. Enumerable.Repeat(1L, 4 - (int)b.dim()), .. b.shape];
        return b.view(sizes).permute(0, 3, 1, 2);
    }

    private static Tensor Timesteps(SinusoidalEmbedding op, Tensor t)
    {
        int half = op.Channels / 2;
        var frequencies = exp(arange(half, dtype: ScalarType.Float32) * (-Math.Log(op.MaxPeriod) / (half - op.DownscaleFreqShift)));
        return Rows(t, numbers =>
        {
            var angles = numbers.unsqueeze(-1) * frequencies * op.Scale;
            return cat(op.FlipSinToCos ? [cos(angles), sin(angles)] : [sin(angles), cos(angles)], -1).flatten(-2, -1);
        });
    }

    private static long Axis(int axis, Tensor x)
    {
        int rank = (int)x.dim(), positive = axis < 0 ? axis + rank : axis;
        return rank == 4 ? ImageAxes[positive] : positive;
    }
}
