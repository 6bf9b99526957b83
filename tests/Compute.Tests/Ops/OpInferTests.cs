using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Result types with symbolic sizes, and errors that name op, argument, value and expectation.</summary>
public sealed class OpInferTests
{
    private static readonly Dim Batch = Dim.Symbol("batch"), Height = Dim.Symbol("height"), Width = Dim.Symbol("width"),
        Tokens = Dim.Symbol("tokens");

    [Fact]
    public void Norms_OfSymbolicImage_KeepItsType()
    {
        var x = Float(Batch, Height, Width, 320);
        Assert.Equal(x, new GroupNormalization(32, 1e-5).Infer([x, Float(320), Half(320)]));
        Assert.Equal(x, new LayerNormalization(1e-5).Infer([x]));
        Assert.Equal(x, new RmsNormalization(1e-5).Infer([x, Float(320)]));
    }

    [Fact]
    public void Upsample_OfSymbolicImage_DoublesOrFollows()
    {
        var x = Float(Batch, Height, Width, 64);
        Assert.Equal(Float(Batch, Height * 2, Width * 2, 64), new Upsample().Infer([x]));
        Assert.Equal(Float(Batch, Tokens, 9, 64), new Upsample().Infer([x, Float(Batch, Tokens, 9, 7)]));
    }

    [Fact]
    public void Concat_OfSymbolicSizes_AddsAlongTheAxisOnly()
    {
        Assert.Equal(Float(Batch, Tokens + 7, 64), new Concat(1).Infer([Float(Batch, Tokens, 64), Float(Batch, 7, 64)]));
        Assert.Equal(Float(2, Tokens, 96), new Concat(-1).Infer([Float(Batch, Tokens, 64), Float(2, Tokens, 32)]));
    }

    [Fact]
    public void Embeddings_OfSymbolicTokens_AddChannels()
    {
        Assert.Equal(Float(Batch, Tokens, 768),
            new EmbeddingLookup().Infer([Half(49408, 768), new TensorType(DType.Int32, [Batch, Tokens])]));
        Assert.Equal(Float(Batch, 6 * 256), new SinusoidalEmbedding(256, true, 0).Infer([Float(Batch, 6)]));
        Assert.Equal(Float(Batch, 768), new SelectToken().Infer([Float(Batch, Tokens, 768), new TensorType(DType.Int32, [Batch])]));
    }

    [Fact]
    public void Layouts_OfSymbolicImage_ReorderItsSizes()
    {
        Assert.Equal(Float(Batch, Height, Width, 4), new NchwToNhwc().Infer([Float(Batch, 4, Height, Width)]));
        Assert.Equal(Float(Batch, 3, Height, Width), new NhwcToNchw().Infer([Float(Batch, Height, Width, 3)]));
        Assert.Equal(Float(Batch, Height / 2, Width / 2, 64), new PixelUnshuffle(2).Infer([Float(Batch, Height, Width, 16)]));
        Assert.Equal(Float(Batch, Height * 2, Width * 2, 16), new PixelShuffle(2).Infer([Float(Batch, Height, Width, 64)]));
        Assert.Equal(Float(Batch, Height, 2, 4), new Slice(2, 1, 2).Infer([Float(Batch, Height, Width, 4)]));
    }

    [Fact]
    public void Binary_OfSymbolicSizes_IsCheckedAgainWithNumbers()
    {
        TensorType a = Float(Batch, Tokens, 64), b = Float(Height, 1, 64);
        var op = new Binary(BinaryFunction.Add);
        Assert.Equal(a, op.Infer([a, b]));
        var sizes = new Sizes(("batch", 2), ("tokens", 7), ("height", 3));
        var refused = Assert.Throws<ShapeException>(() => op.Infer([a.Resolve(sizes), b.Resolve(sizes)]));
        Assert.Equal("binary: b is Float32[3, 1, 64]; it must be broadcastable to a, Float32[2, 7, 64].", refused.Message);
    }

    public static TheoryData<string, Op, TensorType[]> Refusals => new()
    {
        { "group_norm: x is Float32[2, 9, 66]; it must be a tensor whose number of channels is divisible by 32 (groups).",
            new GroupNormalization(32, 1e-5), [Float(2, 9, 66), Float(66), Float(66)] },
        { "group_norm: bias is Float32[32]; it must be [64] in Float32, Float16 or BFloat16.", new GroupNormalization(32, 1e-5),
            [Float(2, 9, 64), Float(64), Float(32)] },
        { "layer_norm: arguments is 4; it must be 1 to 3.", new LayerNormalization(1e-5), [Float(2, 9), Float(9), Float(9), Float(9)] },
        { "rms_norm: weight is Float32[8]; it must be [9] in Float32, Float16 or BFloat16.", new RmsNormalization(1e-5),
            [Float(2, 9), Float(8)] },
        { "unary: x is Int8[2, 9]; it must be Float32, Float16 or BFloat16.", new Unary(UnaryFunction.Silu),
            [new TensorType(DType.Int8, [2, 9])] },
        { "binary: b is Float16[9]; it must be of Float32, as the first argument.", new Binary(BinaryFunction.Add),
            [Float(2, 9), Half(9)] },
        { "attention: key is Float32[1, 7, 8]; it must be of Float16, as the first argument.", new ScaledDotProductAttention(2),
            [Half(1, 9, 8), Float(1, 7, 8), Float(1, 7, 8)] },
        { "matmul: r is Float32[2, 4]; it must be like the result, Float16[2, 4].", new MatMul(new Epilogue(Residual: true)),
            [Half(2, 9), Float(4, 9), Float(2, 4)] },
        { "geglu: x is Float32[2, 9]; it must be a tensor with an even innermost size.", new GeGlu(), [Float(2, 9)] },
        { "embedding: ids is Float32[2]; it must be Int32 or Int64.", new EmbeddingLookup(), [Float(5, 3), Float(2)] },
        { "select_token: index is Int32[3]; it must be Int32 [2].", new SelectToken(), [Float(2, 5, 4), new TensorType(DType.Int32, [3])] },
        { "upsample: x is Float32[2, 9]; it must be [n, height, width, channels] in Float32, Float16 or BFloat16.", new Upsample(),
            [Float(2, 9)] },
        { "pixel_unshuffle: x is Float32[1, 4, 6, 8, 1]; it must be [n, h, w, c] in Float32, Float16 or BFloat16.",
            new PixelUnshuffle(2), [Float(1, 4, 6, 8, 1)] },
        { "pixel_unshuffle: x is Float32[1, 4, 5, 16]; it must be a tensor with height and width divisible by 2.",
            new PixelUnshuffle(2), [Float(1, 4, 5, 16)] },
        { "pixel_unshuffle: x is Float32[1, 5, 4, 16]; it must be a tensor with height and width divisible by 2.",
            new PixelUnshuffle(2), [Float(1, 5, 4, 16)] },
        { "pixel_unshuffle: factor is 0; it must be 1 to 46340.", new PixelUnshuffle(0), [Float(1, 4, 6, 16)] },
        { "pixel_shuffle: x is Float32[1, 4, 5, 18]; it must be a tensor whose number of channels is divisible by 4.",
            new PixelShuffle(2), [Float(1, 4, 5, 18)] },
        { "pixel_shuffle: factor is 46341; it must be 1 to 46340.", new PixelShuffle(46341), [Float(1, 4, 5, 16)] },
        { "pixel_shuffle: arguments is 2; it must be 1.", new PixelShuffle(1), [Float(1, 4, 5, 16), Float(1)] },
        { "concat: argument 1 is Float32[3, 4]; it must be like Float32[2, 3] but for dimension 1.", new Concat(-1),
            [Float(2, 3), Float(3, 4)] },
        { "concat: axis is 2; it must be a dimension of Float32[2, 3].", new Concat(2), [Float(2, 3)] },
        { "slice: range is 3..6; it must be inside dimension 1 of Float32[2, 5].", new Slice(1, 3, 3), [Float(2, 5)] },
        { "cast: to is Int8; it must be Float32, Float16 or BFloat16.", new Cast(DType.Int8), [Float(2)] },
        { "linear_combination: coefficients is Float32[3]; it must be Float32 [2].", new LinearCombination(),
            [Float(4), Float(4), Float(3)] },
        { "linear_combination: x2 is Float32[5]; it must be of the shape of x1, Float32[4].", new LinearCombination(),
            [Float(4), Float(5), Float(2)] },
        { "dynamic_threshold: ratio is 1.5; it must be between 0 and 1.", new DynamicThreshold(1.5, 2), [Float(2, 3)] },
        { "rescale_guidance: phi is Float32[2]; it must be Float32 [1].", new RescaleGuidance(), [Float(2, 3), Float(2, 3), Float(2)] },
        { "rotary_embedding: x is Float32[1, 4, 10]; it must be a tensor with an even number of channels for each of 2 heads.",
            new RotaryEmbedding(2), [Float(1, 4, 10), Float(4, 5), Float(4, 5)] },
        { "rotary_embedding: sin is Float32[5, 6]; it must be Float32 [4, 6].", new RotaryEmbedding(2),
            [Float(1, 4, 12), Float(4, 6), Float(5, 6)] },
        { "timestep_embedding: channels is 1; it must be at least 2.", new SinusoidalEmbedding(1, true, 0), [Float(2)] },
    };

    [Theory, MemberData(nameof(Refusals))]
    public void Infer_OfWrongArguments_SaysWhatIsWrong(string message, Op op, TensorType[] inputs) =>
        Assert.Equal(message, Assert.Throws<ShapeException>(() => op.Infer(inputs)).Message);

    private static TensorType Float(params ReadOnlySpan<Dim> shape) => new(DType.Float32, [.. shape]);

    private static TensorType Half(params ReadOnlySpan<Dim> shape) => new(DType.Float16, [.. shape]);
}
