using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Blocks;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Quantization;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>
/// Each pass that rewrites graphs, on a small one: the graph before and after, and equal bits of its results.
/// </summary>
public sealed class PassTests : SmallGraphTests
{
    [Fact]
    public void CommonSubexpressions_EqualOps_BecomeOne() => Check(nameof(CompileOptions.CommonSubexpressions),
        g => { var x = Image(g); return Silu(x) * (Silu(x) + x); },
        "unary(image) | unary(image) | binary(1, image) | binary(0, 2)",
        "unary(image) | binary(0, image) | binary(0, 1)");

    [Fact]
    public void CommonSubexpressions_OtherAttributes_Stay() => Check(nameof(CompileOptions.CommonSubexpressions),
        g => { var x = Image(g); return Scale(x, 2) + Scale(x, 3); },
        "affine(image) | affine(image) | binary(0, 1)",
        "affine(image) | affine(image) | binary(0, 1)");

    [Fact]
    public void NormActivation_SiluOfGroupNorm_BecomesOne()
    {
        var norm = Loaded(new GroupNorm(4, 16, 1e-5));
        Check(nameof(CompileOptions.NormActivation), g => Silu(norm.Forward(Image(g))), "group_norm(image, weight, bias) | unary(0)",
            "group_norm+silu(image, weight, bias)");
    }

    [Fact]
    public void NormActivation_NormUsedTwice_Stays()
    {
        var norm = Loaded(new GroupNorm(4, 16, 1e-5));
        Check(nameof(CompileOptions.NormActivation), g => { var h = norm.Forward(Image(g)); return Silu(h) + h; },
            "group_norm(image, weight, bias) | unary(0) | binary(1, 0)", "group_norm(image, weight, bias) | unary(0) | binary(1, 0)");
    }

    [Fact]
    public void UpsampleFolding_DoubledBeforeConvolution_BecomesOne()
    {
        var upsampler = Loaded(new Upsample2D(16));
        Check(nameof(CompileOptions.UpsampleFolding), g => upsampler.Forward(Image(g)),
            "upsample(image) | conv2d(0, conv.weight, conv.bias)", "upsample+conv2d(image, conv.weight, conv.bias)");
    }

    [Fact]
    public void UpsampleFolding_ResizedBeforeConvolution_BecomesOneThatTakesItsEpilogue()
    {
        Upsample2D upsampler = Loaded(new Upsample2D(16));
        var down = Loaded(new Conv2d(16, 16, 3, stride: 2, padding: 1));
        Check(CompileOptions.Eager with { UpsampleFolding = true, EpilogueFusion = true },
            g => { var x = Image(g); return Silu(upsampler.Forward(down.Forward(x), x)) + x; },
            "conv2d(image, weight, bias) | upsample(0, image) | conv2d(1, conv.weight, conv.bias) | unary(2) | binary(3, image)",
            "conv2d(image, weight, bias) | upsample+conv2d+silu+residual(0, conv.weight, conv.bias, image, image)", null);
    }

    [Fact]
    public void UpsampleFolding_PointwiseConvolutionOrOtherUses_Stay()
    {
        Conv2d point = Loaded(new Conv2d(16, 8, 1)), wide = Loaded(new Conv2d(16, 8, 3, padding: 1));
        Check(nameof(CompileOptions.UpsampleFolding),
            g =>
            {
                Value x = Image(g), both = Upsample(x);
                return point.Forward(Upsample(x)) + wide.Forward(both) * Slice(both, -1, 0, 8);
            },
            "upsample(image) | upsample(image) | conv2d(1, weight, bias) | conv2d(0, weight, bias) | slice(0) "
            + "| binary(3, 4) | binary(2, 5)",
            "upsample(image) | upsample(image) | conv2d(1, weight, bias) | conv2d(0, weight, bias) | slice(0) "
            + "| binary(3, 4) | binary(2, 5)");
    }

    [Fact]
    public void Conv1x1AsMatMul_Pointwise_BecomesMatMul()
    {
        Conv2d point = Loaded(new Conv2d(16, 24, 1)), strided = Loaded(new Conv2d(24, 8, 1, stride: 2));
        Check(nameof(CompileOptions.Conv1x1AsMatMul), g => strided.Forward(point.Forward(Image(g))),
            "conv2d(image, weight, bias) | conv2d(0, weight, bias)", "matmul(image, weight, bias) | conv2d(0, weight, bias)");
    }

    [Fact]
    public void GateFusion_GeGluOfMatMul_BecomesOne()
    {
        var linear = Loaded(new Linear(16, 40));
        Check(nameof(CompileOptions.GateFusion), g => GeGlu(linear.Forward(Image(g))), "matmul(image, weight, bias) | geglu(0)",
            "gated_matmul(image, weight, bias)");
    }

    [Fact]
    public void EpilogueFusion_ChainAfterConvolution_BecomesOne()
    {
        var conv = Loaded(new Conv2d(16, 16, 3, padding: 1));
        Check(nameof(CompileOptions.EpilogueFusion),
            g =>
            {
                var x = Image(g);
                return Scale(Silu(conv.Forward(x) + g.Input("time", DType.Float32, Dim.Symbol("n"), 1, 1, 16)), 0.5) + x;
            },
            "conv2d(image, weight, bias) | binary(0, time) | unary(1) | affine(2) | binary(3, image)",
            "conv2d+entry+silu+scale+residual(image, weight, bias, time, image)");
    }

    [Fact]
    public void EpilogueFusion_SumOfTwoMatMuls_TakesTheLaterOne()
    {
        Linear first = Loaded(new Linear(16, 16)), second = Loaded(new Linear(16, 16, bias: false));
        Check(nameof(CompileOptions.EpilogueFusion), g => { var x = Image(g); return first.Forward(x) + second.Forward(x); },
            "matmul(image, weight, bias) | matmul(image, weight) | binary(0, 1)",
                "matmul(image, weight, bias) | matmul+residual(image, weight, 0)");
    }

    [Fact]
    public void EpilogueFusion_MatMulWithOtherUses_Stays()
    {
        var linear = Loaded(new Linear(16, 16));
        Check(nameof(CompileOptions.EpilogueFusion), g => { var h = linear.Forward(Image(g)); return Silu(h) + h; },
            "matmul(image, weight, bias) | unary(0) | binary(1, 0)", "matmul(image, weight, bias) | unary(0) | binary(1, 0)");
    }

    [Fact]
    public void EpilogueFusion_ActivationAfterResidual_Stays()
    {
        var linear = Loaded(new Linear(16, 16));
        Check(nameof(CompileOptions.EpilogueFusion), g => { var x = Image(g); return Silu(linear.Forward(x) + x); },
            "matmul(image, weight, bias) | binary(0, image) | unary(1)", "matmul+residual(image, weight, bias, image) | unary(0)");
    }

    [Fact]
    public void ProjectionGrouping_QueryKeyValue_BecomeOneWithViews()
    {
        var attention = Loaded(new Attention(16, null, 2, 8));
        var options = CompileOptions.Eager with { ProjectionGrouping = true, ColumnViews = true };
        Check(options, g => attention.Forward(Image(g)),
            "matmul(image, to_q.weight) | matmul(image, to_k.weight) | matmul(image, to_v.weight) | attention(0, 1, 2) | matmul(3, "
                + "to_out.0.weight, to_out.0.bias)",
            "grouped_matmul(image, to_q.weight, to_k.weight, to_v.weight) | slice(0) | slice(0) | slice(0) | attention(1, 2, 3) | "
                + "matmul(4, to_out.0.weight, to_out.0.bias)",
            "grouped_matmul | attention | matmul");
    }

    [Fact]
    public void ProjectionGrouping_KeyAndValueOfCrossAttention_BecomeOne()
    {
        var attention = Loaded(new Attention(16, 24, 2, 8));
        var options = CompileOptions.Eager with { ProjectionGrouping = true, ColumnViews = true };
        Check(options, g => attention.Forward(Image(g), g.Input("prompt", DType.Float32, Dim.Symbol("n"), 5, 24)),
            "matmul(image, to_q.weight) | matmul(prompt, to_k.weight) | matmul(prompt, to_v.weight) | attention(0, 1, 2) | matmul(3, "
                + "to_out.0.weight, to_out.0.bias)",
            "matmul(image, to_q.weight) | grouped_matmul(prompt, to_k.weight, to_v.weight) | slice(1) | slice(1) | attention(0, 2, 3) | "
                + "matmul(4, to_out.0.weight, to_out.0.bias)",
            "matmul | grouped_matmul | attention | matmul");
    }

    [Fact]
    public void ProjectionGrouping_Int8QueryKeyValue_BecomeOneWithViews()
    {
        var attention = Loaded(new Attention(16, null, 2, 8));
        using var memory = DynamicQuantization.Apply(attention,
            layer => !layer.Path.StartsWith("to_out", StringComparison.Ordinal), Device);
        var options = CompileOptions.Eager with { ProjectionGrouping = true, ColumnViews = true };
        Check(options, g => attention.Forward(Image(g)),
            "quantized_matmul(image, to_q.weight, to_q.weight_scale) | quantized_matmul(image, to_k.weight, to_k.weight_scale) | "
                + "quantized_matmul(image, to_v.weight, to_v.weight_scale) | attention(0, 1, 2) | "
                + "matmul(3, to_out.0.weight, to_out.0.bias)",
            "grouped_quantized_matmul(image, to_q.weight, to_k.weight, to_v.weight, to_q.weight_scale, to_k.weight_scale, "
                + "to_v.weight_scale) | slice(0) | slice(0) | slice(0) | attention(1, 2, 3) | "
                + "matmul(4, to_out.0.weight, to_out.0.bias)",
            "grouped_quantized_matmul | attention | matmul");
    }

    [Fact]
    public void FuseQkvProjections_WithoutAttention_IsRefused()
    {
        Assert.True(new Attention(16, null, 2, 8).CanFuseQkvProjections);
        Assert.Contains("Upsample2D has no attention",
            Assert.Throws<NotSupportedException>(() => new Upsample2D(16).FuseQkvProjections()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ElementwiseChains_EveryKindOfStepAndOperand_BecomeOne() => Check(nameof(CompileOptions.ElementwiseChains),
        g =>
        {
            var x = Image(g);
            var h = Silu(Scale(x, 0.5) + g.Input("time", DType.Float32, Dim.Symbol("n"), 1, 1, 16))
                * g.Input("token", DType.Float32, Dim.Symbol("n"), Dim.Symbol("h"), 1, 1);
            return x - g.Add(new Clamp(-1, 1.5), h) * g.Input("number", DType.Float32, 1);
        },
        "affine(image) | binary(0, time) | unary(1) | binary(2, token) | clamp(3) | binary(4, number) | binary(image, 5)",
        "elementwise+affine+add+silu+multiply+clamp+multiply+reversed subtract(image, time, token, number, image)");

    [Fact]
    public void ElementwiseChains_ValueThatOthersNeed_EndsAChain() => Check(nameof(CompileOptions.ElementwiseChains),
        g => { var h = Silu(Scale(Image(g), 2)); return Scale(h * h, 3) + h; },
        "affine(image) | unary(0) | binary(1, 1) | affine(2) | binary(3, 1)",
        "elementwise+affine+silu(image) | elementwise+multiply+affine+add(0, 0, 0)");

    [Fact]
    public void ElementwiseChains_MoreStepsThanOneOpHas_AreCut() => Check(nameof(CompileOptions.ElementwiseChains),
        g => Enumerable.Range(0, 10).Aggregate(Image(g), (h, i) => i % 5 == 4 ? Scale(h, 2) : Functional.Activate(h, UnaryFunction.Relu)),
        "unary(image) | unary(0) | unary(1) | unary(2) | affine(3) | unary(4) | unary(5) | unary(6) | unary(7) | affine(8)",
        "elementwise+relu+relu(image) | elementwise+relu+relu+affine+relu+relu+relu+relu+affine(0)");

    [Fact]
    public void ElementwiseChains_LoopInvariantValues_AreStillComputedOnce()
    {
        var options = CompileOptions.Eager with { ElementwiseChains = true, LoopInvariants = true };
        var graph = Graph.Trace("loopInvariant",
            g => g.Output("y", Silu(Scale(g.LoopInvariantInput("prompt", DType.Float32, Dim.Symbol("n"), 16), 2))
                + g.Input("x", DType.Float32, Dim.Symbol("n"), 16)));
        var report = new CompiledGraph(graph, Arenas, options).Report(Sizes(2, 1));
        Assert.Equal(("elementwise+affine+silu", "binary"), (Assert.Single(report.LoopInvariantSteps).Op, Assert.Single(report.Steps).Op));
    }

    [Fact]
    public void ConstantFolding_OpsOfWeightsAndConstants_AreComputedOnceForAllPlans()
    {
        var norm = Loaded(new LayerNorm(16));
        float[] table = [.. Enumerable.Range(0, 32).Select(i => i / 8f)];
        Check(nameof(CompileOptions.ConstantFolding),
            g =>
            {
                var position = g.Constant("table", [2, 16], table);
                g.Output("z", Scale(position, 4)); // an output that is itself a constant
                return Image(g) * norm.Forward(Slice(position, 0, 1, 1));
            },
            "affine(table) | slice(table) | layer_norm(1, weight, bias) | binary(image, 2)", "binary(image, )");

        Arenas.Trim();
        long before = Device.AllocatedBytes;
        var graph = Graph.Trace("table", g => g.Output("y", Image(g) + Silu(Scale(g.Constant("table", [2, 16], table), 2))));
        var compiled = new CompiledGraph(graph, Arenas, CompileOptions.Eager with { ConstantFolding = true });
        foreach (int height in new[] { 2, 2 })
        {
            using var plan = compiled.Rent(Sizes(1, height));
            // the folded value, but neither the table nor the values between
            Assert.Equal(before + table.Length * sizeof(float) + plan.ArenaBytes, Device.AllocatedBytes);
        }
    }

    [Fact]
    public void DeadCode_OpsThatNothingNeeds_Leave()
    {
        Linear linear = Loaded(new Linear(16, 16));
        var graph = Graph.Trace("dead", g =>
        {
            var x = Image(g);
            _ = Scale(Silu(x), 3);
            _ = linear.Forward(Scale(x, 2)); // has a name
            g.Output("y", Scale(x, 4));
        });
        string All(CompileOptions options) =>
            string.Join(" | ", new CompiledGraph(graph, Arenas, options).Graph.Nodes.Select(n => n.Label));
        Assert.Equal("unary | affine | affine | matmul | affine", All(CompileOptions.Eager));
        Assert.Equal("affine | matmul | affine", All(CompileOptions.Eager with { DeadCode = true }));
    }
}
