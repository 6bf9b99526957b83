using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>Ops without weights, as functions over traced values. Import with <c>using static</c>.</summary>
public static class Functional
{
    /// <summary>a + b, b broadcast.</summary>
    public static Value Add(Value a, Value b) => a.Graph.Add(new Binary(BinaryFunction.Add), a, b);

    /// <summary>a − b, b broadcast.</summary>
    public static Value Subtract(Value a, Value b) => a.Graph.Add(new Binary(BinaryFunction.Subtract), a, b);

    /// <summary>a · b element-wise, b broadcast.</summary>
    public static Value Multiply(Value a, Value b) => a.Graph.Add(new Binary(BinaryFunction.Multiply), a, b);

    /// <summary>x · factor.</summary>
    public static Value Scale(Value x, double factor) => x.Graph.Add(new Affine(factor, 0), x);

    /// <summary>x · sigmoid(x).</summary>
    public static Value Silu(Value x) => Activate(x, UnaryFunction.Silu);

    /// <summary>An activation function, element-wise.</summary>
    public static Value Activate(Value x, UnaryFunction function) => x.Graph.Add(new Unary(function), x);

    /// <summary>First half · gelu(second half) over the innermost dimension.</summary>
    public static Value GeGlu(Value x) => x.Graph.Add(new GeGlu(), x);

    /// <summary>Casts to another floating-point type; returns the value itself if it already has that type.</summary>
    public static Value Cast(Value x, DType to) => x.Type.DType == to ? x : x.Graph.Add(new Cast(to), x);

    /// <summary>Concatenates values along the innermost dimension: channels of an image, features of a token.</summary>
    public static Value ConcatChannels(params ReadOnlySpan<Value> values) => values[0].Graph.Add(new Concat(-1), values);

    /// <summary>Concatenates values along the outermost dimension.</summary>
    public static Value ConcatBatch(params ReadOnlySpan<Value> values) => values[0].Graph.Add(new Concat(0), values);

    /// <summary>Σ coefficientᵢ · valueᵢ; the coefficients [n] are themselves a traced value, so they may change with every run.</summary>
    public static Value Combine(Value coefficients, params ReadOnlySpan<Value> values) =>
        coefficients.Graph.Add(new LinearCombination(), [.. values, coefficients]);

    /// <summary>Entries start … start + length of one dimension; a negative axis counts from the innermost.</summary>
    public static Value Slice(Value x, int axis, int start, int length) => x.Graph.Add(new Slice(axis, start, length), x);

    /// <summary>
    /// One of <paramref name="count"/> equal parts of one dimension, as torch.chunk; a negative axis counts from the innermost.
    /// </summary>
    public static Value Chunk(Value x, int axis, int index, int count) => x.Graph.Add(new Chunk(axis, index, count), x);

    /// <summary>Scaled dot-product attention; heads are contiguous ranges of the innermost dimension.</summary>
    public static Value Attention(Value query, Value key, Value value, int heads, Value? mask = null, bool causal = false)
    {
        var op = new ScaledDotProductAttention(heads, causal) { Options = query.Graph.AttentionOptions };
        return mask is null ? query.Graph.Add(op, query, key, value) : query.Graph.Add(op, query, key, value, mask);
    }

    /// <summary>Nearest-neighbour upsampling of an image [n, h, w, c]: ×2, or to the height and width of <paramref name="like"/>.</summary>
    public static Value Upsample(Value x, Value? like = null) =>
        like is null ? x.Graph.Add(new Upsample(), x) : x.Graph.Add(new Upsample(), x, like);

    /// <summary>
    /// Blocks of <paramref name="factor"/> × <paramref name="factor"/> pixels of an image [n, h, w, c] become channels,
    /// [n, h / factor, w / factor, c · factor²], ordered as torch's pixel_unshuffle.
    /// </summary>
    public static Value PixelUnshuffle(Value x, int factor) => x.Graph.Add(new PixelUnshuffle(factor), x);

    /// <summary>
    /// Groups of factor² channels of an image [n, h, w, c] become blocks of pixels, [n, h · factor, w · factor, c / factor²], ordered as
    /// torch's pixel_shuffle.
    /// </summary>
    public static Value PixelShuffle(Value x, int factor) => x.Graph.Add(new PixelShuffle(factor), x);

    /// <summary>
    /// The number that a value has at run time, for control flow that depends on it: a graph break. What follows is recorded and compiled
    /// separately for each number; if only a condition matters, <see cref="Test"/> compiles less. Every run waits for the device here.
    /// </summary>
    /// <param name="value">A value of one element.</param>
    /// <exception cref="GraphBreakException">At compilation, if <see cref="CompileOptions.FullGraph"/> is set.</exception>
    public static double Item(Value value) => value.Graph.Read(value, static number => number);

    /// <summary>
    /// Whether a number known only at run time meets a condition: a graph break with two continuations, each compiled when it is first
    /// taken.
    /// </summary>
    /// <param name="value">A value of one element.</param>
    /// <param name="condition">The condition.</param>
    /// <exception cref="GraphBreakException">At compilation, if <see cref="CompileOptions.FullGraph"/> is set.</exception>
    public static bool Test(Value value, Func<double, bool> condition) => value.Graph.Read(value, number => condition(number) ? 1 : 0) != 0;
}
