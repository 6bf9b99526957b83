using ILGpuDiffusion.Compute;
using static ILGpuDiffusion.Layers.Functional;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Each pass over a small graph: what the graph is before and after, and that its results are the same bits.</summary>
public sealed class PassTests : IDisposable
{
    private readonly CpuDevice device = new(threads: 2);
    private readonly ArenaPool arenas;
    private readonly List<DeviceBuffer> weights = [];

    public PassTests() => arenas = new ArenaPool(device);

    public void Dispose()
    {
        arenas.Dispose();
        foreach (var buffer in weights) buffer.Dispose();
        Assert.Equal(0, device.AllocatedBytes);
        device.Dispose();
    }

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
        Check(nameof(CompileOptions.NormActivation), g => Silu(norm.Forward(Image(g))), "group_norm(image, weight, bias) | unary(0)", "group_norm+silu(image, weight, bias)");
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
        Check(nameof(CompileOptions.UpsampleFolding), g => upsampler.Forward(Image(g)), "upsample(image) | conv2d(0, conv.weight, conv.bias)", "upsample+conv2d(image, conv.weight, conv.bias)");
    }

    [Fact]
    public void UpsampleFolding_ResizedBeforeConvolution_BecomesOneThatTakesItsEpilogue()
    {
        Upsample2D upsampler = Loaded(new Upsample2D(16));
        var down = Loaded(new Conv2d(16, 16, 3, stride: 2, padding: 1));
        Check(CompileOptions.Eager with { UpsampleFolding = true, EpilogueFusion = true }, g => { var x = Image(g); return Silu(upsampler.Forward(down.Forward(x), x)) + x; },
            "conv2d(image, weight, bias) | upsample(0, image) | conv2d(1, conv.weight, conv.bias) | unary(2) | binary(3, image)",
            "conv2d(image, weight, bias) | upsample+conv2d+silu+residual(0, conv.weight, conv.bias, image, image)", null);
    }

    [Fact]
    public void UpsampleFolding_PointwiseConvolutionOrOtherUses_Stay()
    {
        Conv2d point = Loaded(new Conv2d(16, 8, 1)), wide = Loaded(new Conv2d(16, 8, 3, padding: 1));
        Check(nameof(CompileOptions.UpsampleFolding), g => { Value x = Image(g), both = Upsample(x); return point.Forward(Upsample(x)) + wide.Forward(both) * Slice(both, -1, 0, 8); },
            "upsample(image) | upsample(image) | conv2d(1, weight, bias) | conv2d(0, weight, bias) | slice(0) | binary(3, 4) | binary(2, 5)",
            "upsample(image) | upsample(image) | conv2d(1, weight, bias) | conv2d(0, weight, bias) | slice(0) | binary(3, 4) | binary(2, 5)");
    }

    [Fact]
    public void Conv1x1AsMatMul_Pointwise_BecomesProduct()
    {
        Conv2d point = Loaded(new Conv2d(16, 24, 1)), strided = Loaded(new Conv2d(24, 8, 1, stride: 2));
        Check(nameof(CompileOptions.Conv1x1AsMatMul), g => strided.Forward(point.Forward(Image(g))),
            "conv2d(image, weight, bias) | conv2d(0, weight, bias)", "matmul(image, weight, bias) | conv2d(0, weight, bias)");
    }

    [Fact]
    public void GateFusion_GeGluOfProduct_BecomesOne()
    {
        var linear = Loaded(new Linear(16, 40));
        Check(nameof(CompileOptions.GateFusion), g => GeGlu(linear.Forward(Image(g))), "matmul(image, weight, bias) | geglu(0)", "gated_matmul(image, weight, bias)");
    }

    [Fact]
    public void EpilogueFusion_ChainAfterConvolution_BecomesOne()
    {
        var conv = Loaded(new Conv2d(16, 16, 3, padding: 1));
        Check(nameof(CompileOptions.EpilogueFusion),
            g => { var x = Image(g); return Scale(Silu(conv.Forward(x) + g.Input("time", DType.Float32, Dim.Symbol("n"), 1, 1, 16)), 0.5) + x; },
            "conv2d(image, weight, bias) | binary(0, time) | unary(1) | affine(2) | binary(3, image)",
            "conv2d+entry+silu+scale+residual(image, weight, bias, time, image)");
    }

    [Fact]
    public void EpilogueFusion_SumOfTwoProducts_TakesTheLaterOne()
    {
        Linear first = Loaded(new Linear(16, 16)), second = Loaded(new Linear(16, 16, bias: false));
        Check(nameof(CompileOptions.EpilogueFusion), g => { var x = Image(g); return first.Forward(x) + second.Forward(x); },
            "matmul(image, weight, bias) | matmul(image, weight) | binary(0, 1)", "matmul(image, weight, bias) | matmul+residual(image, weight, 0)");
    }

    [Fact]
    public void EpilogueFusion_ProductThatOthersNeed_Stays()
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
            "matmul(image, to_q.weight) | matmul(image, to_k.weight) | matmul(image, to_v.weight) | attention(0, 1, 2) | matmul(3, to_out.0.weight, to_out.0.bias)",
            "grouped_matmul(image, to_q.weight, to_k.weight, to_v.weight) | slice(0) | slice(0) | slice(0) | attention(1, 2, 3) | matmul(4, to_out.0.weight, to_out.0.bias)",
            "grouped_matmul | attention | matmul");
    }

    [Fact]
    public void ElementwiseChains_EveryKindOfStepAndOperand_BecomeOne() => Check(nameof(CompileOptions.ElementwiseChains),
        g =>
        {
            var x = Image(g);
            var h = Silu(Scale(x, 0.5) + g.Input("time", DType.Float32, Dim.Symbol("n"), 1, 1, 16)) * g.Input("token", DType.Float32, Dim.Symbol("n"), Dim.Symbol("h"), 1, 1);
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
    public void ElementwiseChains_SteadyValues_AreStillComputedOnce()
    {
        var options = CompileOptions.Eager with { ElementwiseChains = true, StepInvariants = true };
        var graph = Graph.Trace("steady", g => g.Output("y", Silu(Scale(g.SteadyInput("prompt", DType.Float32, Dim.Symbol("n"), 16), 2)) + g.Input("x", DType.Float32, Dim.Symbol("n"), 16)));
        var report = new CompiledGraph(graph, arenas, options).Report(Sizes(2, 1));
        Assert.Equal(("elementwise+affine+silu", "binary"), (Assert.Single(report.Prologue).Op, Assert.Single(report.Steps).Op));
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
                g.Output("z", Scale(position, 4)); // a result that is a constant itself
                return Image(g) * norm.Forward(Slice(position, 0, 1, 1));
            },
            "affine(table) | slice(table) | layer_norm(1, weight, bias) | binary(image, 2)", "binary(image, )");

        arenas.Trim();
        long before = device.AllocatedBytes;
        var graph = Graph.Trace("table", g => g.Output("y", Image(g) + Silu(Scale(g.Constant("table", [2, 16], table), 2))));
        var compiled = new CompiledGraph(graph, arenas, CompileOptions.Eager with { ConstantFolding = true });
        foreach (int height in new[] { 2, 2 })
        {
            using var plan = compiled.Rent(Sizes(1, height));
            Assert.Equal(before + table.Length * sizeof(float) + plan.ArenaBytes, device.AllocatedBytes); // the folded value, but neither the table nor what lies between
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
        string All(CompileOptions options) => string.Join(" | ", new CompiledGraph(graph, arenas, options).Graph.Nodes.Select(n => n.Label));
        Assert.Equal("unary | affine | affine | matmul | affine", All(CompileOptions.Eager));
        Assert.Equal("affine | matmul | affine", All(CompileOptions.Eager with { DeadCode = true }));
    }

    [Fact]
    public void ColumnViews_ConcatenationsAndSlices_CostNothing() => Check(CompileOptions.Eager with { ColumnViews = true },
        g =>
        {
            var x = Image(g);
            var wide = ConcatChannels(Scale(x, 2), ConcatChannels(Silu(x), Scale(x, 3)));
            return Silu(Slice(wide, -1, 8, 24)) + Chunk(wide, -1, 1, 2);
        },
        "affine(image) | unary(image) | affine(image) | concat(1, 2) | concat(0, 3) | slice(4) | unary(5) | chunk(4) | binary(6, 7)", null,
        "affine | unary | affine | unary | binary");

    [Fact]
    public void ColumnViews_InputsTwiceUsedAndResults_AreCopied() => Check(CompileOptions.Eager with { ColumnViews = true },
        g =>
        {
            var x = Image(g);
            var h = Silu(x);
            g.Output("h", h); // read by the caller: contiguous, with memory of its own
            return ConcatChannels(x, h, Scale(h, 2)) * ConcatChannels(Scale(h, 3), h, h);
        },
        "unary(image) | affine(0) | concat(image, 0, 1) | affine(0) | concat(3, 0, 0) | binary(2, 4)", null,
        "unary | affine | concat | affine | concat | binary");

    [Fact]
    public void ColumnViews_AlongTheOutermostDimension_AreRows() => Check(CompileOptions.Eager with { ColumnViews = true },
        g =>
        {
            var x = Image(g);
            var both = ConcatBatch(Silu(x), Scale(x, 2));
            return Chunk(both, 0, 0, 2) - Scale(Chunk(both, 0, 1, 2), 5);
        },
        "unary(image) | affine(image) | concat(0, 1) | chunk(2) | chunk(2) | affine(4) | binary(3, 5)", null,
        "unary | affine | affine | binary");

    [Fact]
    public void StepInvariants_WhatDependsOnSteadyInputs_IsComputedOncePerWrite()
    {
        var linear = Loaded(new Linear(16, 16));
        var graph = Graph.Trace("steady", g => g.Output("y", Image(g) * linear.Forward(g.SteadyInput("prompt", DType.Float32, Dim.Symbol("n"), 1, 1, 16))));
        var compiled = new CompiledGraph(graph, arenas, CompileOptions.Eager with { StepInvariants = true });
        using var plan = compiled.Rent(Sizes(2, 3));
        using var eager = new CompiledGraph(graph, arenas, CompileOptions.Eager).Rent(Sizes(2, 3));
        Assert.Equal((1, 1, 2), (plan.PrologueLaunchCount, plan.LaunchCount, eager.LaunchCount));
        foreach (int prompt in new[] { 1, 2 })
        {
            Fill(plan.Input("prompt"), prompt);
            Fill(eager.Input("prompt"), prompt);
            foreach (int image in new[] { 3, 4 })
            {
                Fill(plan.Input("image"), image);
                Fill(eager.Input("image"), image);
                plan.Run();
                eager.Run();
                Assert.Equal(eager.Output("y").Span<float>().ToArray(), plan.Output("y").Span<float>().ToArray());
            }
        }
    }

    [Fact]
    public void StepInvariants_RentedAgainAfterOthers_AreComputedAgain()
    {
        var compiled = new CompiledGraph(Graph.Trace("steady", g => g.Output("y", Image(g) + Silu(g.SteadyInput("prompt", DType.Float32, Dim.Symbol("n"), 1, 1, 16)))), arenas);
        float[] Run()
        {
            using var plan = compiled.Rent(Sizes(1, 2));
            Fill(plan.Input("image"), 1);
            Fill(plan.Input("prompt"), 2);
            plan.Run();
            plan.Run();
            return plan.Output("y").Span<float>().ToArray();
        }

        float[] first = Run();
        using (var other = new CompiledGraph(Graph.Trace("other", g => g.Output("y", Scale(Image(g), 9))), arenas).Rent(Sizes(1, 2)))
        {
            Fill(other.Input("image"), 5);
            other.Run(); // in the same arena
        }

        Assert.Equal(first, Run());
    }

    [Fact]
    public void PrepackWeights_TwoPlansOfOnePool_ShareThemAndChangeNoBit()
    {
        Conv2d winograd = Loaded(new Conv2d(16, 48, 3, padding: 1)), direct = Loaded(new Conv2d(48, 35, 3, padding: 1));
        Conv2d wide = Loaded(new Conv2d(35, 35, 3, padding: 1));
        var linear = Loaded(new Linear(35, 16));
        var graph = Graph.Trace("packed", g => g.Output("y", linear.Forward(wide.Forward(direct.Forward(winograd.Forward(Image(g)))))));
        CompiledGraph eager = new(graph, arenas, CompileOptions.Eager), packed = new(graph, arenas, CompileOptions.Eager with { PrepackWeights = true });
        long after = 0;
        foreach (var sizes in new[] { Sizes(1, 2), Sizes(2, 30), Sizes(1, 21) })
        {
            using Plan expected = eager.Rent(sizes);
            Assert.Equal(after, arenas.PackedWeights.Bytes);
            using Plan actual = packed.Rent(sizes);
            foreach (var plan in new[] { expected, actual })
            {
                Fill(plan.Input("image"), 1);
                plan.Run();
                plan.Run();
            }

            Assert.Equal(expected.Output("y").Span<float>().ToArray(), actual.Output("y").Span<float>().ToArray());
            if (sizes.Equals(Sizes(2, 30))) Assert.True(arenas.PackedWeights.Bytes > after, "Winograd's weights have a form of their own.");
            if (sizes.Equals(Sizes(1, 21))) Assert.Equal(after, arenas.PackedWeights.Bytes); // both forms of all weights were there
            after = arenas.PackedWeights.Bytes;
        }
    }

    [Fact]
    public void PrepackWeights_Automatic_LeavesLargeModelsAndProductsOfValuesAlone()
    {
        Linear small = Loaded(new Linear(16, 32, bias: false)); // a whole number of panels on every processor
        Graph Trace(Linear linear) => Graph.Trace("packed", g => g.Output("y", linear.Forward(Image(g))));
        var product = Graph.Trace("product", g => g.Output("y", g.Add(new MatMul(), Image(g), Silu(g.Input("w", DType.Float32, 16, 16)))));
        foreach (var (graph, bytes) in new[] { (product, 0L), (Trace(small), 16 * 32 * 4L) })
        {
            using var plan = new CompiledGraph(graph, arenas).Rent(Sizes(1, 9));
            Assert.Equal(bytes, arenas.PackedWeights.Bytes);
            Assert.Equal(bytes, new CompiledGraph(graph, arenas).Report(Sizes(1, 9)).PackedWeightBytes);
        }

        var large = Trace(new Linear(16, (1 << 20) + 1)); // never loaded: the decision needs no weights
        Assert.False(new PlanLayout(large, device, Sizes(1, 9), new HashSet<string>(), new()).PrepacksWeights);
    }

    [Fact]
    public void Named_ValueInsideAFusion_CanBeDumped()
    {
        var attention = Loaded(new Attention(16, null, 2, 8));
        var graph = Graph.Trace("named", g => g.Output("y", attention.Forward(Image(g)) + g.Inputs["image"]));
        string[] names = ["to_q", "to_k", "to_v", "to_out.0"];
        float[][] Dump(CompileOptions options)
        {
            using var plan = new CompiledGraph(graph, arenas, options).Rent(Sizes(2, 3), names);
            Fill(plan.Input("image"), 1);
            plan.Run();
            return [.. names.Select(name => plan.Named(name).Span<float>().ToArray()), plan.Output("y").Span<float>().ToArray()];
        }

        Assert.Equal(Dump(CompileOptions.Eager), Dump(new()));
    }

    private static Value Image(Graph graph) => graph.Input("image", DType.Float32, Dim.Symbol("n"), Dim.Symbol("h"), Dim.Symbol("h"), 16);

    private static Sizes Sizes(int n, int h) => new(("n", n), ("h", h));

    private void Check(string pass, Func<Graph, Value> body, string before, string after)
    {
        var options = CompileOptions.Eager with { };
        typeof(CompileOptions).GetProperty(pass)!.SetValue(options, true);
        Assert.Equal(pass, Assert.Single(GraphPasses.Of(options)).Name);
        Check(options, body, before, after, null);
    }

    /// <summary>Compares graphs as text, plans as lists of ops, and all outputs bit by bit at two sizes.</summary>
    private void Check(CompileOptions options, Func<Graph, Value> body, string before, string? after, string? steps)
    {
        var graph = Graph.Trace("test", g => g.Output("y", body(g)));
        CompiledGraph eager = new(graph, arenas, CompileOptions.Eager), compiled = new(graph, arenas, options);
        Assert.Equal(before, Text(eager.Graph));
        Assert.Equal(after ?? before, Text(compiled.Graph));
        foreach (var sizes in new[] { Sizes(1, 2), Sizes(3, 5) })
        {
            if (steps is not null) Assert.Equal(steps, string.Join(" | ", compiled.Report(sizes).Steps.Select(s => s.Op)));
            using Plan expected = eager.Rent(sizes), actual = compiled.Rent(sizes);
            foreach (string name in graph.Inputs.Keys)
            {
                Fill(expected.Input(name), name.Length);
                Fill(actual.Input(name), name.Length);
            }

            for (int run = 0; run < 2; run++)
            {
                expected.Run();
                actual.Run();
                foreach (string name in graph.Outputs.Keys) Assert.Equal(expected.Output(name).Span<float>().ToArray(), actual.Output(name).Span<float>().ToArray());
            }
        }
    }

    /// <summary>The needed ops in order, with inputs by name and results by their place among the ops.</summary>
    private static string Text(Graph graph)
    {
        Node[] nodes = [.. graph.NeededBy(graph.Outputs.Values)];
        string Of(Value value) => value.Parameter?.Path ?? (value.Producer is { } p ? $"{Array.IndexOf(nodes, p)}" : graph.Inputs.Single(i => i.Value == value).Key);
        return string.Join(" | ", nodes.Select(n => $"{n.Label}({string.Join(", ", n.Inputs.Select(Of))})"));
    }

    /// <summary>Eighths between −2 and 2: sums of their products are exact in any order, so that passes which change the order change no bit.</summary>
    private static void Fill(Tensor tensor, int seed)
    {
        var random = new Random(seed);
        foreach (ref float value in tensor.Span<float>()) value = random.Next(-16, 17) / 8f;
    }

    private T Loaded<T>(T layer) where T : Layer
    {
        foreach (var parameter in layer.Parameters)
        {
            weights.Add(device.Allocate(parameter.Type.Bytes));
            var tensor = new Tensor(weights[^1], 0, DType.Float32, parameter.Shape);
            Fill(tensor, weights.Count);
            parameter.Load(tensor);
        }

        return layer;
    }
}
