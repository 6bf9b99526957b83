using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Properties of ops that profiles and passes read.</summary>
public sealed class OpKindTests
{
    private static readonly Dictionary<OpKind, string[]> Expected = new()
    {
        [OpKind.MatrixProduct] =
        [
            "gated_matmul", "grouped_matmul", "grouped_quantized_matmul", "int8_weight_matmul", "matmul", "quantize", "quantize_scale",
            "quantized_matmul",
        ],
        [OpKind.Convolution] = ["conv2d"],
        [OpKind.Attention] = ["attention", "softmax"],
        [OpKind.Normalization] = ["group_norm", "layer_norm", "rms_norm"],
        [OpKind.Elementwise] =
        [
            "affine", "binary", "clamp", "dynamic_threshold", "elementwise", "fourier_filter", "geglu", "linear_combination",
            "rescale_guidance", "rotary_embedding", "timestep_embedding", "unary",
        ],
        [OpKind.DataMovement] =
        [
            "cast", "chunk", "concat", "embedding", "nchw_to_nhwc", "nhwc_to_nchw", "pixel_shuffle", "pixel_unshuffle", "select_token",
            "slice", "upsample",
        ],
    };

    private static IEnumerable<Op> Ops => OpCatalog.Cases.SelectMany(c => c.Cases).Select(c => c.Op);

    [Fact]
    public void Kind_OfEveryOp_IsTheOneListed()
    {
        var found = Ops.Select(o => (o.Kind, o.Name)).Distinct().ToLookup(o => o.Kind, o => o.Name);
        Assert.All(Enum.GetValues<OpKind>(), kind => Assert.Equal(Expected[kind], found[kind].Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void With_OfEveryOpThatHasAnEpilogue_ReplacesIt()
    {
        var epilogue = new Epilogue(BatchBias: true, UnaryFunction.Silu, Scale: 0.5, Residual: true);
        Op[] ops = [.. Ops.Where(o => o.GetType().GetProperty(nameof(Epilogue)) is not null)];
        Assert.Equal(["conv2d", "int8_weight_matmul", "matmul", "quantized_matmul"],
            ops.Select(o => o.Name).Distinct().Order(StringComparer.Ordinal));
        Assert.All(ops, op =>
        {
            var replaced = Assert.IsAssignableFrom<IHasEpilogue>(op).With(epilogue);
            Assert.Equal(epilogue, ((IHasEpilogue)replaced).Epilogue);
            Assert.EndsWith($"{op.Name}+entry+silu+scale+residual", replaced.Label, StringComparison.Ordinal);
            Assert.Equal(op, ((IHasEpilogue)replaced).With(((IHasEpilogue)op).Epilogue)); // nothing else changes
        });
    }
}
